import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { expectAlive, onScene, processesIn } from "./snapshot-scene.ts";
import { mainSnapshotTargets } from "./snapshot-targets.ts";

const { processes } = linuxHost();

describe.each(mainSnapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("a VM that hibernates", () => {
    it.each(["auto", "cow", "copy", "ondemand"] as const)(
      "has no VMM, and goes on where it was when it is woken by %s",
      async (restoreMode) => {
        await onScene(target, async ({ engine, sandbox, guest, boot }) => {
          const vm = await boot("sleeper");
          await guest.remember(vm, "dream");
          await guest.fill(vm, 6);
          await guest.writeDisk(vm, 3, "dream");
          const counted = await guest.count(vm);
          const { vmm } = (await vm.inspect()).runtime!;
          const saved = await vm.hibernate();
          expect(processes.isAlive(vmm)).toBe(false);
          expect(await processesIn(sandbox)).toEqual([]);
          expect(await vm.inspect()).toMatchObject({ state: "stopped", hibernatedIn: saved.id });
          await expect(vm.start()).rejects.toMatchObject({ code: "VM_HIBERNATES" });
          await expect(vm.hibernate()).rejects.toMatchObject({ code: "VM_NOT_RUNNING" });
          expect(await processesIn(sandbox)).toEqual([]);

          const { memory } = await vm.wake({ restoreMode, strict: true });
          expect(memory.requested).toBe(restoreMode);
          expect(await guest.recall(vm)).toBe("dream");
          expect(await guest.isFilled(vm, 6)).toBe(true);
          expect(await guest.readDisk(vm, 3)).toBe("dream");
          expect(await guest.count(vm)).toBeGreaterThanOrEqual(counted);
          await expectAlive(guest, vm);
          expect(await engine.snapshots.list()).toEqual([]);
          expect((await vm.inspect()).hibernatedIn).toBeUndefined();
          await expect(vm.wake()).rejects.toMatchObject({ code: "VM_NOT_HIBERNATED" });
        });
      },
    );

    it("keeps a snapshot that has a name, and can be booted from its disks instead", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const vm = await boot("named");
        await guest.remember(vm, "dream");
        await guest.writeDisk(vm, 3, "dream");
        const { id } = await vm.hibernate({ name: "kept" });
        await vm.wake();
        expect((await engine.snapshots.list()).map(({ name }) => name)).toEqual(["kept"]);
        const { vm: clone } = await engine.clone({ snapshot: "kept" }, { name: "clone" });
        expect(await guest.recall(clone)).toBe("dream");

        const second = await vm.hibernate();
        await vm.start({ cold: true });
        expect(await guest.recall(vm)).toBe("");
        expect(await guest.readDisk(vm, 3)).toBe("dream");
        expect((await vm.inspect()).hibernatedIn).toBeUndefined();
        await expect(vm.wake()).rejects.toMatchObject({ code: "VM_NOT_HIBERNATED" });
        // Its memory was given up, its snapshot was not.
        await vm.restore({ snapshot: second.id });
        expect(await guest.recall(vm)).toBe("dream");
        expect((await engine.snapshots.list()).map((snapshot) => snapshot.id)).toEqual([
          id,
          second.id,
        ]);
      });
    });

    it("takes its memory with it when it is removed, but for a snapshot that has a name", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const unnamed = await boot("unnamed");
        await unnamed.hibernate();
        await unnamed.delete();
        expect(await engine.snapshots.list()).toEqual([]);
        const named = await boot("named");
        await guest.remember(named, "left");
        const { id } = await named.hibernate({ name: "left" });
        await named.delete();
        expect(await engine.list({ all: true })).toEqual([]);
        const { vm: heir } = await engine.clone({ snapshot: id }, { name: "heir" });
        expect(await guest.recall(heir)).toBe("left");
      });
    });
  });
});
