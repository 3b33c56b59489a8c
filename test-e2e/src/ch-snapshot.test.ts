import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SnapshotView, Vm } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { canMakeTaps, networkDevices, vmmMadeTaps } from "./ch-snapshot-network.ts";
import { makeSandbox } from "./sandbox.ts";
import { ask } from "./snapshot-console.ts";
import { expectAlive, onScene } from "./snapshot-scene.ts";
import { snapshotTargets } from "./snapshot-targets.ts";

const mib = 1024 ** 2;
const real = snapshotTargets.filter(({ name }) => name === "cloud-hypervisor");

describe.each(snapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("", () => {
    it("a guest under firmware goes on talking on its serial line, as a clone and after a restore", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const spec = await target.spec();
        const firmware = spec.boot.kernel;
        const source = await boot("source", { boot: { firmware } });
        await guest.remember(source, "before");
        const { id } = await source.save();
        await guest.remember(source, "after");
        const { vm } = await engine.clone({ snapshot: id }, {});
        expect(await guest.recall(vm)).toBe("before");
        expect(await guest.recall(source)).toBe("after");
        await source.restore({ snapshot: id });
        expect(await guest.recall(source)).toBe("before");
        for (const each of [source, vm]) await expectAlive(guest, each);
      });
    }, 60_000);
  });
});

describe.each(real)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("", () => {
    it("clones share the memory that they do not change, and never write to the snapshot's", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const source = await boot("source", { cpus: 2, memoryBytes: 256 * mib });
        expect(await ask(source, "mem 7 48")).toBe("ok");
        const { id } = await source.save();
        const before = await memoryOf(engine.snapshots.inspect(id));
        const clones = await Promise.all(
          Array.from({ length: 8 }, () => engine.clone({ snapshot: id }, {})),
        );
        for (const { vm, memory } of clones) {
          expect(memory.used).toBe("cow");
          expect(await ownBytes(vm)).toBeLessThan(8 * mib);
          expect(await ask(vm, "memcheck 7 48")).toBe("ok");
          expect(await ownBytes(vm)).toBeLessThan(8 * mib);
        }
        const { vm: writer } = clones[0]!;
        expect(await ask(writer, "mem 8 48")).toBe("ok");
        // The guest marks each page, and no more of it than that.
        expect(await ownBytes(writer)).toBeGreaterThan(40 * mib);
        expect(await ask(writer, "memcheck 8 48")).toBe("ok");
        expect(await ask(clones[1]!.vm, "memcheck 7 48")).toBe("ok");
        expect(await ask(source, "memcheck 7 48")).toBe("ok");
        expect(await memoryOf(engine.snapshots.inspect(id))).toEqual(before);
        for (const { vm } of clones) await expectAlive(guest, vm);
      });
    }, 120_000);

    it("the snapshot of a clone of a clone names nothing of its parents, and is of stock shape", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        let vm = await boot("source");
        const generations: SnapshotView[] = [];
        for (const generation of [1, 2, 3]) {
          await guest.remember(vm, `generation-${generation}`);
          const saved = await vm.save();
          generations.push(saved);
          ({ vm } = await engine.clone({ snapshot: saved.id }, {}));
          expect(await guest.recall(vm)).toBe(`generation-${generation}`);
        }
        for (const { id } of generations) {
          const { directory, manifest } = await engine.snapshots.inspect(id);
          const config = await readFile(join(directory, "config.json"), "utf8");
          const others = generations.filter((other) => other.id !== id);
          for (const other of others) expect(config).not.toContain(other.id);
          expect((JSON.parse(config) as { memory: unknown }).memory).toMatchObject({
            size: manifest.vm.config.memoryBytes,
          });
          expect(config).not.toContain("zones");
        }
        // The snapshots do not need each other.
        const [first, second] = generations;
        await engine.snapshots.delete([first!.id, second!.id]);
        const { vm: late } = await engine.clone({ snapshot: generations[2]!.id }, {});
        expect(await guest.recall(late)).toBe("generation-3");
      });
    }, 60_000);

    it.skipIf(!canMakeTaps)(
      "a clone has NICs of its own in the place of its running parent's, which keeps its own",
      async () => {
        const taps = networkDevices();
        await using sandbox = await makeSandbox(await target.vmm(), [vmmMadeTaps()]);
        await using engine = await sandbox.engine();
        const spec = await target.spec();
        const source = await engine.create(spec);
        await source.start();
        const { id } = await source.save();
        const { vm: parent } = await engine.clone({ snapshot: id }, { nics: 2 });
        const macs = (await parent.inspect()).nics.map(({ mac }) => mac);
        await expectNics(parent, macs);
        const saved = { snapshot: (await parent.save()).id };

        const { vm: child } = await engine.clone(saved, { nics: 1 });
        const { nics } = await child.inspect();
        expect(macs).not.toContain(nics[0]!.mac);
        await expectNics(child, [nics[0]!.mac]);
        await expectNics(parent, macs);
        const tapsOf = async (vm: Vm) => (await vm.inspect()).nics.map(({ tap }) => tap);
        // The TAPs that stood in for the parent's go when the guest lets go of the NICs.
        const expected = [...(await tapsOf(parent)), ...(await tapsOf(child))].toSorted();
        const made = () => networkDevices().filter((tap) => !taps.includes(tap));
        await expect.poll(() => made().toSorted(), { timeout: 10_000 }).toEqual(expected);

        const { vm: without } = await engine.clone(saved, { nics: 0 });
        await expectNics(without, []);
        await parent.restore(saved);
        await expectNics(parent, macs);
        await engine.delete([source.id, parent.id, child.id, without.id], { force: true });
        expect(made()).toEqual([]);
      },
      60_000,
    );
  });
});

/** Which NICs the guest finds, once it has let go of those that it is to lose. */
async function expectNics(vm: Vm, macs: readonly string[]): Promise<void> {
  const found = async () => (await ask(vm, "nics")).split(" ").slice(2).toSorted();
  await expect.poll(found, { timeout: 10_000 }).toEqual([...macs].toSorted());
}

/** The digest of a snapshot's memory file. */
async function memoryOf(
  snapshot: Promise<{ readonly directory: string }>,
): Promise<{ readonly sha256: string }> {
  const { directory } = await snapshot;
  const content = await readFile(join(directory, "memory-ranges"));
  return { sha256: createHash("sha256").update(content).digest("hex") };
}

/** Bytes of the guest's memory that the VM does not share with its snapshot. */
async function ownBytes(vm: Vm): Promise<number> {
  const { runtime } = await vm.inspect();
  const smaps = await readFile(`/proc/${runtime?.vmm.pid}/smaps`, "utf8");
  const mappings = smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/);
  const guest = mappings.filter((mapping) => mapping.split("\n")[0]?.endsWith("/memory-ranges"));
  expect(guest).not.toEqual([]);
  const kib = guest.map((mapping) => Number(/^Anonymous: +(?<kib>\d+) kB$/m.exec(mapping)?.[1]));
  return kib.reduce((sum, each) => sum + each, 0) * 1024;
}
