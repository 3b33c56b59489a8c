import { join } from "node:path";
import type { Vm } from "@silkvm/core";
import { makeBeds } from "../beds.ts";
import { type Bare, pauseByHand, saveByHand, saveDurablyByHand } from "../by-hand.ts";
import { type CounterpartBed, makeCounterpartBed } from "../counterpart-bed.ts";
import { timeSilk } from "../program.ts";
import { type GuestSize, guestSizes, type SnapshotBed } from "../snapshot-bed.ts";
import type { Case, Comparison, Suite } from "../suite.ts";
import { timed } from "../timed.ts";

/** Saving of a VM that runs on, how long it stands still meanwhile, and hibernation. */
export const saves: Suite = {
  name: "saves",
  description: "saving a VM against the VMM, ch-remote and the counterpart",
  async *comparisons(context) {
    for await (const bed of makeBeds(context)) {
      const { idle256, dense256, idle1024, dense1024 } = guestSizes;
      const sizes = bed.place.reflinks ? [idle256, dense256, idle1024, dense1024] : [dense1024];
      for (const size of sizes) {
        const vm = await bed.boot("source", size);
        await using cocoon = await makeCounterpartBed(bed, "source", size, context);
        yield* comparisons(bed, vm, size, cocoon);
        await bed.deleteVms();
      }
    }
  },
};

async function* comparisons(
  bed: SnapshotBed,
  vm: Vm,
  size: GuestSize,
  cocoon: CounterpartBed | undefined,
): AsyncIterable<Comparison> {
  const { engine, env, place } = bed;
  const where = `${size.name}, on ${place.name}`;
  const { disks, paths } = await vm.inspect();
  const bare: Bare = {
    socketPath: paths.apiSocketPath,
    diskPath: disks.find(({ role }) => role === "cow")?.path as string,
    saveDir: join(place.dir, "by-hand"),
  };
  const runs = size.memoryMib > 256 ? 5 : 7;
  const forget = async (): Promise<void> => {
    const { failed } = await engine.snapshots.delete(["saved"]);
    if (failed[0] !== undefined) throw failed[0].error;
  };
  const byCocoon: Case[] =
    cocoon === undefined
      ? []
      : [
          {
            name: "cocoon snapshot save",
            run: () =>
              timed(
                () => cocoon.time("snapshot", "save", "--name", "saved", "source"),
                undefined,
                () => cocoon.run("snapshot", "rm", "saved"),
              ),
          },
        ];

  yield {
    title: `how long a guest stands still when it is saved: ${where}`,
    runs,
    peer: { name: "vm.pause, vm.snapshot, cp, vm.resume", run: () => pauseByHand(bare) },
    cases: [
      {
        name: "SDK: engine.snapshots.save()",
        run: async () => {
          const { timings } = await engine.snapshots.save(vm.id, { name: "saved" });
          await forget();
          return timings.pauseMs;
        },
      },
    ],
  };
  yield {
    title: `save: ${where}`,
    runs,
    peer: {
      name: "ch-remote pause, snapshot, resume, and cp",
      run: () => saveByHand(bed, bare),
    },
    cases: [
      {
        name: "the same, sync",
        run: () => saveDurablyByHand(bed, bare),
      },
      {
        name: "SDK: engine.snapshots.save()",
        run: () => timed(() => engine.snapshots.save(vm.id, { name: "saved" }), undefined, forget),
      },
      {
        name: "CLI: silk snapshot save",
        run: () =>
          timed(
            () => timeSilk(["snapshot", "save", vm.id, "--name", "saved"], { env }),
            undefined,
            forget,
          ),
      },
      ...byCocoon,
    ],
  };
  const wake = async (): Promise<unknown> => await engine.wake(vm.id);
  yield {
    title: `hibernate: ${where}`,
    runs,
    peer: {
      name: "ch-remote pause, snapshot, resume, and cp",
      run: () => saveByHand(bed, bare),
    },
    cases: [
      {
        name: "SDK: engine.hibernate()",
        run: () => timed(() => engine.hibernate(vm.id), undefined, wake),
      },
      {
        name: "CLI: silk vm hibernate",
        run: () => timed(() => timeSilk(["vm", "hibernate", vm.id], { env }), undefined, wake),
      },
    ],
  };
}
