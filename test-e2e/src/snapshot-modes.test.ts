import type { RestoreMode, Vm } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import type { GuestWords } from "./snapshot-guest.ts";
import { expectAlive, onScene } from "./snapshot-scene.ts";
import { mainSnapshotTargets } from "./snapshot-targets.ts";

/** What each mode comes to on a VM like these: for a clone, and for a restore. */
const modes: readonly [RestoreMode, clone: string, restore: string][] = [
  ["copy", "copy", "copy"],
  ["ondemand", "ondemand", "ondemand"],
  ["cow", "cow", "cow"],
  ["auto", "cow", "copy"],
];

/** Leaves a word in the guest's memory, a pattern in a good part of it, and a word on its disk. */
async function leaveTraces(guest: GuestWords, vm: Vm, word: string, seed: number): Promise<void> {
  await guest.remember(vm, word);
  await guest.fill(vm, seed);
  await guest.writeDisk(vm, 3, word);
}

async function expectTraces(guest: GuestWords, vm: Vm, word: string, seed: number): Promise<void> {
  expect(await guest.recall(vm)).toBe(word);
  expect(await guest.isFilled(vm, seed)).toBe(true);
  expect(await guest.readDisk(vm, 3)).toBe(word);
}

describe.each(mainSnapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined).each(modes)("by %s", (mode, cloned, restored) => {
    it("a clone goes on where the snapshot was taken, and nobody sees what another one writes", async () => {
      await onScene(target, async ({ engine, guest, boot }) => {
        const source = await boot("source");
        await leaveTraces(guest, source, "before", 1);
        const counted = await guest.count(source);
        const { id } = await source.save();
        await leaveTraces(guest, source, "source", 2);
        await guest.writeDisk(source, 4, "source");

        const clone = async (name: string) =>
          engine.clone({ snapshot: id }, { name, restoreMode: mode, strict: true });
        const first = await clone("first");
        expect(first.memory).toMatchObject({ requested: mode, used: cloned, snapshotId: id });
        expect((await first.vm.inspect()).runtime?.memory).toEqual(first.memory);
        expect(first.memory.limits.length > 0).toBe(cloned !== "copy");
        expect(await guest.count(first.vm)).toBeGreaterThanOrEqual(counted);
        await expectTraces(guest, first.vm, "before", 1);
        expect(await guest.readDisk(first.vm, 4)).toBe("");

        const second = await clone("second");
        await leaveTraces(guest, first.vm, "first", 5);
        await expectTraces(guest, second.vm, "before", 1);
        await expectTraces(guest, source, "source", 2);
        await expectTraces(guest, first.vm, "first", 5);
        const third = await clone("third");
        await expectTraces(guest, third.vm, "before", 1);
        for (const vm of [source, first.vm, second.vm, third.vm]) await expectAlive(guest, vm);
      });
    }, 60_000);

    it("a VM that is restored goes on where the snapshot was taken, as often as it is", async () => {
      await onScene(target, async ({ guest, boot }) => {
        const vm = await boot("back");
        await leaveTraces(guest, vm, "before", 1);
        const counted = await guest.count(vm);
        const { id } = await vm.save();
        const { disks } = await vm.inspect();
        for (const word of ["once", "twice"]) {
          await leaveTraces(guest, vm, word, 2);
          await guest.writeDisk(vm, 4, word);
          const { runtime: previous } = await vm.inspect();
          const { memory } = await vm.restore(
            { snapshot: id },
            { restoreMode: mode, strict: true },
          );
          expect(memory).toMatchObject({ requested: mode, used: restored, snapshotId: id });
          const view = await vm.inspect();
          expect(view.runtime?.memory).toEqual(memory);
          expect(view.runtime?.vmm).not.toEqual(previous?.vmm);
          expect(view.disks).toEqual(disks);
          expect(await guest.count(vm)).toBeGreaterThanOrEqual(counted);
          await expectTraces(guest, vm, "before", 1);
          expect(await guest.readDisk(vm, 4)).toBe("");
          await expectAlive(guest, vm);
        }
      });
    }, 60_000);
  });
});
