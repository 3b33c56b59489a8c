import { join } from "node:path";
import type { LoadResult, RestoreMode } from "@silkvm/core";
import { makeBeds } from "../beds.ts";
import { remoteRestore } from "../by-hand.ts";
import { type CounterpartBed, makeCounterpartBed } from "../counterpart-bed.ts";
import { memoryOf } from "../memory-of.ts";
import { timeSilk } from "../program.ts";
import {
  copiesOf,
  copyDisk,
  killRaw,
  makeRaw,
  type RawSnapshot,
  restoreRaw,
} from "../raw-restore.ts";
import { type GuestSize, guestSizes, type SnapshotBed } from "../snapshot-bed.ts";
import type { Case, Comparison, Figures, Suite } from "../suite.ts";
import { timed } from "../timed.ts";

/** What a clone may take beyond the VMM's own launch, restore and resume. */
const cloneExtraMs = 10;
/** How many clones are looked at for their memory. With memory of its own each takes a GiB: more than eight are no measure of silk. */
const densities: readonly (readonly [RestoreMode, number])[] = [
  ["cow", 1],
  ["cow", 8],
  ["cow", 20],
  ["cow", 64],
  ["copy", 1],
  ["copy", 8],
];

/** VMs that come from a snapshot: clones, one and many, restores, and VMs that wake. */
export const clones: Suite = {
  name: "clones",
  description: "clone, restore and wake against the VMM, ch-remote and the counterpart",
  async *comparisons(context) {
    for await (const bed of makeBeds(context)) {
      const { idle256, dense256, idle1024, dense1024 } = guestSizes;
      const sizes = bed.place.reflinks ? [idle256, dense256, idle1024, dense1024] : [dense1024];
      for (const size of sizes) {
        const vm = await bed.boot("source", size);
        await vm.save({ name: "golden" });
        await using cocoon = await makeCounterpartBed(bed, "source", size, context);
        await cocoon?.run("snapshot", "save", "--name", "golden", "source");
        yield* one(bed, size, cocoon);
        yield* back(bed, size, cocoon);
        if (size === idle1024) yield* many(bed, size, 20, cocoon);
        if (size === dense1024) {
          // Each of the counterpart's has a GiB of its own.
          yield* many(bed, size, 8, cocoon);
          for (const count of [20, 64]) yield* many(bed, size, count, undefined);
          if (bed.place.reflinks) yield await density(bed, size);
        }
        await cocoon?.run("snapshot", "rm", "golden");
        await bed.deleteVms();
        await bed.engine.snapshots.delete(["golden"]);
      }
    }
  },
};

async function* one(
  bed: SnapshotBed,
  size: GuestSize,
  cocoon: CounterpartBed | undefined,
): AsyncIterable<Comparison> {
  const { engine, env, chPath } = bed;
  const where = `${size.name}, on ${bed.place.name}`;
  const runs = 9;
  const forget = async (): Promise<void> =>
    succeed(await engine.delete(["clone"], { force: true }));
  const bySdk = (mode: RestoreMode, aimExtraMs?: number): Case => ({
    name: `SDK: engine.clone(), ${mode}`,
    aimExtraMs,
    run: () =>
      timed(
        () => engine.clone({ snapshot: "golden" }, { name: "clone", restoreMode: mode }),
        undefined,
        forget,
      ),
  });
  for (const mode of ["cow", "copy"] as const) {
    const raw = await (mode === "cow" ? mappedRaw(bed) : copiedRaw(bed));
    yield {
      title: `one clone, its memory by ${mode}: ${where}`,
      runs,
      peer: {
        name: "the VMM alone: launch, vm.restore, vm.resume",
        run: () => timeRaw(chPath, [raw]),
      },
      cases: [bySdk(mode, mode === "cow" ? cloneExtraMs : undefined)],
    };
  }
  const raw = await copiedRaw(bed);
  const bySilk = (mode: RestoreMode, aim?: number): Case => ({
    name: `silk vm clone, ${mode}`,
    aim,
    run: () =>
      timed(
        () =>
          timeSilk(["vm", "clone", "golden", "--name", "clone", "--restore-mode", mode], { env }),
        undefined,
        forget,
      ),
  });
  const byCocoon = (name: string, ...flags: readonly string[]): Case[] =>
    cocoon === undefined
      ? []
      : [
          {
            name,
            run: () =>
              timed(
                () => cocoon.time("vm", "clone", "--name", "clone", ...flags, "golden"),
                undefined,
                () => cocoon.deleteVms(["clone"]),
              ),
          },
        ];
  const byRemote: Case = {
    name: "cp of the disk, the VMM, ch-remote restore, resume",
    run: () => remoteRestore(bed, raw),
  };
  const [first, ...others] = byCocoon("cocoon vm clone");
  yield {
    title: `whole programs that clone: ${where}`,
    runs,
    peer: first ?? byRemote,
    cases: [
      ...others,
      ...byCocoon("cocoon vm clone --on-demand", "--on-demand"),
      ...(first === undefined ? [] : [byRemote]),
      bySilk("auto", first && 1),
      bySilk("copy"),
    ],
  };
}

async function* back(
  bed: SnapshotBed,
  size: GuestSize,
  cocoon: CounterpartBed | undefined,
): AsyncIterable<Comparison> {
  const { engine, env, chPath } = bed;
  const where = `${size.name}, on ${bed.place.name}`;
  const raw = await copiedRaw(bed);
  const spare = { ...raw, diskPath: join(raw.dir, "spare.raw") };
  copyDisk(raw.diskPath, spare.diskPath);
  const byHand: Case = {
    name: "SIGKILL, cp of the disk, launch, vm.restore, vm.resume",
    run: async () => {
      const before = await restoreRaw(chPath, raw);
      const began = performance.now();
      await killRaw(before.child);
      copyDisk(spare.diskPath, raw.diskPath);
      const after = await restoreRaw(chPath, raw);
      const tookMs = performance.now() - began;
      await killRaw(after.child);
      return tookMs;
    },
  };
  yield {
    title: `restore: ${where}`,
    runs: 5,
    peer: byHand,
    cases: [
      {
        name: "SDK: engine.restore()",
        run: () => timed(() => engine.restore("source", { snapshot: "golden" })),
      },
      {
        name: "CLI: silk vm restore",
        run: () => timeSilk(["vm", "restore", "source", "golden"], { env }),
      },
      ...(cocoon === undefined
        ? []
        : [
            {
              name: "cocoon vm restore",
              run: () => cocoon.time("vm", "restore", "source", "golden"),
            },
          ]),
    ],
  };
  const sleep = async (): Promise<unknown> => await engine.hibernate("source");
  yield {
    title: `wake: ${where}`,
    runs: 5,
    peer: {
      name: "the VMM alone: launch, vm.restore, vm.resume",
      run: () => timeRaw(chPath, [raw]),
    },
    cases: [
      { name: "SDK: engine.wake()", run: () => timed(() => engine.wake("source"), sleep) },
      {
        name: "CLI: silk vm wake",
        run: () => timed(() => timeSilk(["vm", "wake", "source"], { env }), sleep),
      },
    ],
  };
}

async function* many(
  bed: SnapshotBed,
  size: GuestSize,
  count: number,
  cocoon: CounterpartBed | undefined,
): AsyncIterable<Comparison> {
  const { engine, env, chPath } = bed;
  const raws = await copiesOf(await mappedRaw(bed), count);
  const names = Array.from({ length: count }, (_, index) => `clone-${index + 1}`);
  const forget = async (): Promise<void> => succeed(await engine.delete(names, { force: true }));
  yield {
    title: `${count} clones at once: ${size.name}, on ${bed.place.name}`,
    runs: count > 20 ? 3 : 5,
    peer: {
      name: "the VMMs alone: launch, vm.restore, vm.resume",
      run: () => timeRaw(chPath, raws),
    },
    cases: [
      {
        name: "SDK: engine.clone(), cow",
        run: () => timed(() => cloneAll(bed, names, "cow"), undefined, forget),
      },
      {
        name: `CLI: silk vm clone --count ${count}`,
        run: () =>
          timed(
            () =>
              timeSilk(["vm", "clone", "golden", "--name", "clone", "--count", String(count)], {
                env,
              }),
            undefined,
            forget,
          ),
      },
      ...(cocoon === undefined
        ? []
        : ["--on-demand", undefined].map((flag) => ({
            name: `${count} × cocoon vm clone${flag === undefined ? "" : ` ${flag}`}`,
            run: () =>
              timed(
                () =>
                  cocoon.runAll(
                    names.map((name) =>
                      ["vm", "clone", "--name", name, flag ?? "", "golden"].filter(Boolean),
                    ),
                  ),
                undefined,
                () => cocoon.deleteVms(names),
              ),
          }))),
    ],
  };
}

async function density(bed: SnapshotBed, size: GuestSize): Promise<Figures> {
  const { engine } = bed;
  const rows: Figures["rows"][number][] = [];
  for (const [mode, count] of densities) {
    const names = Array.from({ length: count }, (_, index) => `dense-${index}`);
    const began = performance.now();
    const made = await cloneAll(bed, names, mode);
    const tookMs = performance.now() - began;
    const { pssMib, anonymousMib } = await memoryOf(
      made.map(({ vm }) => vm),
      engine,
    );
    rows.push({
      name: `${count} × ${mode}`,
      cells: [
        `${tookMs.toFixed(0)} ms`,
        `${pssMib.toFixed(0)} MiB`,
        `${anonymousMib.toFixed(0)} MiB`,
      ],
    });
    succeed(await engine.delete(names, { force: true }));
  }
  return {
    title: `clones beside each other, made at once by the SDK: ${size.name}, on ${bed.place.name}`,
    columns: ["until all run", "sum of Pss", "sum of Anonymous"],
    rows,
  };
}

async function cloneAll(
  { engine }: SnapshotBed,
  names: readonly string[],
  restoreMode: RestoreMode,
): Promise<readonly LoadResult[]> {
  return await Promise.all(
    names.map((name) => engine.clone({ snapshot: "golden" }, { name, restoreMode, strict: true })),
  );
}

/** What the VMM gets for a clone that maps its memory, for use without silk. */
async function mappedRaw({ engine, place }: SnapshotBed): Promise<RawSnapshot> {
  const { vm } = await engine.clone(
    { snapshot: "golden" },
    { name: "model", restoreMode: "cow", strict: true },
  );
  const { paths, disks } = await vm.inspect();
  const diskPath = disks.find(({ role }) => role === "cow")?.path as string;
  const raw = await makeRaw(
    { ...paths, filesDir: join(paths.dataDir, "restore"), diskFile: diskPath, diskPath },
    join(place.dir, "raw-cow"),
  );
  succeed(await engine.delete([vm.id], { force: true }));
  return raw;
}

/** The snapshot as the VMM wrote it, for use without silk. */
async function copiedRaw({ engine, place }: SnapshotBed): Promise<RawSnapshot> {
  const { directory, manifest } = await engine.snapshots.inspect("golden");
  const { paths } = await engine.inspect("source");
  const cow = manifest.vm.disks.find(({ role }) => role === "cow");
  if (cow?.file === undefined) throw new Error("the snapshot has no COW disk");
  return await makeRaw(
    { ...paths, filesDir: directory, diskFile: join(directory, cow.file), diskPath: cow.path },
    join(place.dir, "raw-copy"),
  );
}

/** @returns milliseconds until the last one runs */
async function timeRaw(chPath: string, raws: readonly RawSnapshot[]): Promise<number> {
  const began = performance.now();
  const running = await Promise.all(raws.map((raw) => restoreRaw(chPath, raw)));
  const tookMs = performance.now() - began;
  await Promise.all(running.map(({ child }) => killRaw(child)));
  return tookMs;
}

function succeed({ failed }: { readonly failed: readonly { readonly error: Error }[] }): void {
  if (failed[0] !== undefined) throw failed[0].error;
}
