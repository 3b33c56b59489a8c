import type { SilkErrorJson } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { expectAlive, onScene } from "./snapshot-scene.ts";
import { type Racer, race } from "./snapshot-race.ts";
import { mainSnapshotTargets } from "./snapshot-targets.ts";

/** What may come of each verb when others change its snapshot and its VM: nothing else does. */
const losses: Readonly<Record<Racer["verb"], readonly string[]>> = {
  save: ["SNAPSHOT_EXISTS"],
  clone: ["SNAPSHOT_NOT_FOUND"],
  restore: ["SNAPSHOT_NOT_FOUND"],
  remove: ["SNAPSHOT_NOT_FOUND"],
};

describe.each(mainSnapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("from several processes at once", () => {
    it("save, clone, restore and remove of one snapshot each succeed or say what was in the way", async () => {
      await onScene(target, async ({ engine, sandbox, guest, boot }) => {
        const vm = await boot("raced");
        await guest.remember(vm, "constant");
        await guest.writeDisk(vm, 3, "constant");
        const racer = { config: sandbox.config, rounds: 6, vm: "raced", snapshot: "prize" };
        const verbs = ["save", "clone", "clone", "restore", "remove"] as const;
        const reports = await race(verbs.map((verb) => ({ ...racer, verb })));
        const failures = reports.flatMap((report, index) =>
          report.flatMap(({ error }) =>
            error === undefined || losses[verbs[index]!].includes(error.code) ? [] : [error],
          ),
        );
        expect(failures.map(({ code, message }: SilkErrorJson) => `${code}: ${message}`)).toEqual(
          [],
        );
        expect(reports[0]!.some(({ ok }) => ok)).toBe(true);
        expect(await engine.operations()).toEqual([]);
        expect(await engine.gc({ dryRun: true })).toEqual([]);
        expect(await guest.recall(vm)).toBe("constant");
        await expectAlive(guest, vm);
        for (const { id } of await engine.list()) {
          const each = await engine.get(id);
          expect(await guest.recall(each)).toBe("constant");
          expect(await guest.readDisk(each, 3)).toBe("constant");
        }
      });
    }, 120_000);

    it("two restores of one VM come one after the other, and the VM is what the last one made of it", async () => {
      await onScene(target, async ({ engine, sandbox, guest, boot }) => {
        const vm = await boot("torn");
        for (const word of ["one", "two"]) {
          await guest.remember(vm, word);
          await guest.writeDisk(vm, 3, word);
          await vm.save({ name: word });
        }
        const racer = { config: sandbox.config, verb: "restore", rounds: 3, vm: "torn" } as const;
        const reports = await race(["one", "two"].map((snapshot) => ({ ...racer, snapshot })));
        expect(reports.flat().filter(({ ok }) => !ok)).toEqual([]);
        const { parentSnapshotId } = await vm.inspect();
        const { name } = await engine.snapshots.inspect(parentSnapshotId!);
        expect(await guest.recall(vm)).toBe(name);
        expect(await guest.readDisk(vm, 3)).toBe(name);
        await expectAlive(guest, vm);
      });
    }, 60_000);

    it("a VM is saved while others are cloned from a snapshot of it, which is removed when they are done", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const vm = await boot("source");
        await guest.remember(vm, "first");
        const { id } = await vm.save({ name: "first" });
        const [saved, removed, ...clones] = await Promise.all([
          vm.save({ name: "second" }),
          // It waits for whoever reads it; who comes after it finds nothing.
          new Promise((resolve) => setImmediate(resolve)).then(() => engine.snapshots.delete([id])),
          ...[1, 2, 3].map((number) =>
            engine.clone({ snapshot: id }, { name: `clone-${number}` }).catch((error: unknown) => {
              expect(error).toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
              return undefined;
            }),
          ),
        ]);
        expect(removed.failed).toEqual([]);
        for (const clone of clones)
          if (clone !== undefined) expect(await guest.recall(clone.vm)).toBe("first");
        const second = await engine.clone({ snapshot: saved.id }, { name: "of-the-second" });
        expect(await guest.recall(second.vm)).toBe("first");
        expect((await engine.snapshots.list()).map(({ name }) => name)).toEqual(["second"]);
      });
    });
  });
});
