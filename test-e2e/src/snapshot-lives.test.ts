import { stat } from "node:fs/promises";
import { join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { say } from "./snapshot-console.ts";
import { expectAlive, onScene, whoRuns } from "./snapshot-scene.ts";
import { mainSnapshotTargets } from "./snapshot-targets.ts";

const { processes } = linuxHost();

describe.each(mainSnapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("a snapshot", () => {
    it("is cloned, and its clone is saved and cloned, and so is that one's", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        let vm = await boot("generation-0");
        await guest.fill(vm, 7);
        for (let generation = 1; generation <= 3; generation++) {
          await guest.remember(vm, `word-${generation}`);
          await guest.writeDisk(vm, generation, `word-${generation}`);
          const parent = vm;
          const { id } = await parent.save();
          const cloned = await engine.clone(
            { snapshot: id },
            { name: `generation-${generation}`, restoreMode: "cow", strict: true },
          );
          vm = cloned.vm;
          expect(await guest.recall(vm)).toBe(`word-${generation}`);
          await guest.remember(parent, "parent");
          // The first one lives on, the others are gone before their children are looked at.
          if (generation > 1) {
            await parent.delete({ force: true });
            expect((await engine.snapshots.delete([id])).failed).toEqual([]);
          }
        }
        expect(await guest.isFilled(vm, 7)).toBe(true);
        expect(await guest.recall(vm)).toBe("word-3");
        for (const sector of [1, 2, 3])
          expect(await guest.readDisk(vm, sector)).toBe(`word-${sector}`);
        await expectAlive(guest, vm);
        await expectAlive(guest, await engine.get("generation-0"));
      });
    }, 60_000);

    it("becomes 20 clones at once beside its source, each with an identity of its own", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const source = await boot("source", { labels: { kind: "source" } });
        await guest.remember(source, "source");
        await guest.fill(source, 3);
        const { id } = await source.save();
        const clones = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            engine.clone({ snapshot: id }, { name: `clone-${index}`, labels: { kind: "clone" } }),
          ),
        );
        const views = await Promise.all(clones.map(({ vm }) => vm.inspect()));
        const consoles = new Set<string>();
        for (const [index, { vm }] of clones.entries()) {
          {
            await using attached = await vm.console();
            consoles.add(attached.path);
          }
          await guest.remember(vm, `clone-${index}`);
          await guest.writeDisk(vm, 3, `clone-${index}`);
        }
        expect(consoles.size).toBe(20);
        const distinct = (values: readonly unknown[]): void =>
          expect(new Set(values).size).toBe(20);
        distinct(views.map((view) => view.id));
        distinct(views.map((view) => view.runtime?.vmm.pid));
        distinct(views.map((view) => view.paths.apiSocketPath));
        distinct(views.map((view) => view.disks.find(({ role }) => role === "cow")?.path));
        for (const [index, { vm }] of clones.entries()) {
          expect(await guest.recall(vm)).toBe(`clone-${index}`);
          expect(await guest.readDisk(vm, 3)).toBe(`clone-${index}`);
          expect(await guest.isFilled(vm, 3)).toBe(true);
        }
        expect(await guest.recall(source)).toBe("source");
        expect(await engine.list({ labels: { kind: "clone" } })).toHaveLength(20);
        expect((await engine.snapshots.inspect(id)).usedBy).toHaveLength(20);
        await expectAlive(guest, source);
      });
    }, 120_000);

    it("is taken, and given back, while the guest writes", async () => {
      await onScene(target, async ({ guest, boot }) => {
        const vm = await boot("busy");
        await guest.remember(vm, "quiet");
        await guest.fill(vm, 1);
        await guest.writeDisk(vm, 3, "quiet");
        const { id } = await vm.save();
        for (const restoreMode of ["copy", "cow"] as const) {
          await guest.scribble(vm);
          const { id: torn } = await vm.save();
          await guest.scribble(vm);
          await vm.restore({ snapshot: id }, { restoreMode });
          expect(await guest.recall(vm)).toBe("quiet");
          expect(await guest.isFilled(vm, 1)).toBe(true);
          expect(await guest.readDisk(vm, 3)).toBe("quiet");
          await vm.restore({ snapshot: torn }, { restoreMode });
          await expectAlive(guest, vm);
          await vm.restore({ snapshot: id }, { restoreMode });
          expect(await guest.recall(vm)).toBe("quiet");
        }
      });
    }, 60_000);

    it("brings back a VM that is stopped, and one whose VMM was killed", async () => {
      await onScene(target, async ({ guest, boot }) => {
        const vm = await boot("gone");
        await guest.remember(vm, "here");
        await guest.writeDisk(vm, 3, "here");
        const { id } = await vm.save();
        await guest.writeDisk(vm, 3, "later");
        await vm.stop({ force: true });
        await vm.restore({ snapshot: id });
        expect(await guest.recall(vm)).toBe("here");
        expect(await guest.readDisk(vm, 3)).toBe("here");

        await guest.writeDisk(vm, 3, "later");
        const { vmm } = (await vm.inspect()).runtime!;
        await processes.signal(vmm, "SIGKILL");
        await processes.waitForExit(vmm, { timeoutMs: 5_000 });
        expect((await vm.inspect()).state).toBe("error");
        await vm.restore({ snapshot: id });
        expect(await guest.recall(vm)).toBe("here");
        expect(await guest.readDisk(vm, 3)).toBe("here");
        await expectAlive(guest, vm);
      });
    });

    it("can be removed while a clone lives on its memory, which can be saved, cloned and rebooted still", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const source = await boot("source");
        await guest.remember(source, "inherited");
        await guest.fill(source, 4);
        const { id } = await source.save();
        const { vm } = await engine.clone(
          { snapshot: id },
          { name: "heir", restoreMode: "cow", strict: true },
        );
        const { directory } = await engine.snapshots.inspect(id);
        expect((await engine.snapshots.delete([id])).failed).toEqual([]);
        await expect(stat(directory)).rejects.toMatchObject({ code: "ENOENT" });
        await source.delete({ force: true });
        expect(await guest.recall(vm)).toBe("inherited");
        expect(await guest.isFilled(vm, 4)).toBe(true);
        const saved = await vm.save();
        const grandchild = await engine.clone({ snapshot: saved.id }, { name: "grandchild" });
        expect(await guest.recall(grandchild.vm)).toBe("inherited");
        expect(await guest.isFilled(grandchild.vm, 4)).toBe(true);
        await say(vm, "reboot\n");
        const recall = () => guest.recall(vm).catch((error: unknown) => error);
        await expect.poll(recall, { timeout: 20_000 }).toBe("");
        await expectAlive(guest, vm);
        // It is a VM like any other: it boots from its disks.
        await vm.stop({ force: true });
        await vm.start();
        expect((await vm.inspect()).runtime?.memory).toBeUndefined();
        await expectAlive(guest, vm);
      });
    }, 60_000);

    it("that cannot be mapped is copied, and says why; where that is not allowed, nothing is made", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const source = await boot("shared", { sharedMemory: true });
        await guest.remember(source, "shared");
        const { id } = await source.save();
        const untouched = await whoRuns(source);
        const strict = { restoreMode: "cow", strict: true } as const;
        const refused = { code: "RESTORE_MODE_UNAVAILABLE", kind: "unsupported" };
        await expect(
          engine.clone({ snapshot: id }, { ...strict, name: "refused" }),
        ).rejects.toMatchObject(refused);
        await expect(source.restore({ snapshot: id }, strict)).rejects.toMatchObject(refused);
        expect(await whoRuns(source)).toEqual(untouched);
        expect(await engine.list({ all: true })).toHaveLength(1);
        await expectAlive(guest, source);

        const warnings: string[] = [];
        const { vm, memory } = await engine.clone(
          { snapshot: id },
          { name: "copied", restoreMode: "cow", onWarning: (warning) => warnings.push(warning) },
        );
        expect(memory).toMatchObject({ requested: "cow", used: "copy" });
        expect(memory.reason).toContain("shared");
        expect(warnings.join("\n")).toContain("shared");
        expect(await guest.recall(vm)).toBe("shared");
        const quiet: string[] = [];
        const { memory: chosen } = await engine.clone(
          { snapshot: id },
          { name: "chosen", onWarning: (warning) => quiet.push(warning) },
        );
        expect(chosen).toMatchObject({ requested: "auto", used: "copy" });
        expect(quiet).toEqual([]);
      });
    });

    it("can be taken of a VM whose memory still comes back on demand, or is refused until it has", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const source = await boot("source");
        await guest.remember(source, "lazy");
        const { id } = await source.save();
        const { vm } = await engine.clone(
          { snapshot: id },
          { name: "lazy", restoreMode: "ondemand", strict: true },
        );
        const save = async () =>
          vm.save().catch(async (error: unknown) => {
            expect(error).toMatchObject({ retryable: true });
            expect((await vm.inspect()).observed.vmm).toBe("running");
            return undefined;
          });
        await expect.poll(save, { timeout: 20_000 }).toBeDefined();
        await expectAlive(guest, vm);
        const [, latest] = await engine.snapshots.list();
        const again = await engine.clone({ snapshot: latest!.id }, { name: "again" });
        expect(await guest.recall(again.vm)).toBe("lazy");
      });
    });

    it("has files that nobody can write, and no more than it says", async () => {
      await onScene(target, async ({ engine, boot }) => {
        const vm = await boot("sealed");
        const { id } = await vm.save();
        const { directory, manifest, allocatedBytes, sizeBytes } =
          await engine.snapshots.inspect(id);
        for (const { name, sizeBytes: size } of manifest.files) {
          const found = await stat(join(directory, name));
          expect([name, found.size, found.mode & 0o777]).toEqual([name, size, 0o400]);
        }
        expect(allocatedBytes).toBeLessThan(sizeBytes / 2);
      });
    });
  });
});
