import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { exportSnapshot, importSnapshot } from "@silkvm/storage";
import { makeBeds } from "../beds.ts";
import { type CounterpartBed, makeCounterpartBed } from "../counterpart-bed.ts";
import { peakOfSilk, timeProgram, timeSilk } from "../program.ts";
import { type GuestSize, guestSizes, type SnapshotBed } from "../snapshot-bed.ts";
import type { Case, Comparison, Figures, Suite } from "../suite.ts";
import { timed } from "../timed.ts";

/** GNU tar's time may be so much of silk's: 0.8 of its speed. */
const tarAim = 1.25;
const chunkBytes = 1024 ** 2;

/** Snapshots in files, and out of them. */
export const archives: Suite = {
  name: "archives",
  description: "export and import against GNU tar, cp and the counterpart",
  async *comparisons(context) {
    for await (const bed of makeBeds(context)) {
      const { dense256, idle1024, half1024, dense1024 } = guestSizes;
      const sizes = bed.place.reflinks ? [dense256, idle1024, half1024, dense1024] : [dense1024];
      for (const size of sizes) {
        const vm = await bed.boot("source", size);
        await vm.save({ name: "golden" });
        await using cocoon = await makeCounterpartBed(bed, "source", size, context);
        await cocoon?.run("snapshot", "save", "--name", "golden", "source");
        yield* comparisons(bed, size, cocoon);
        yield await memory(bed, size);
        await cocoon?.run("snapshot", "rm", "golden");
        await bed.deleteVms();
        await bed.engine.snapshots.delete(["golden"]);
      }
    }
  },
};

async function* comparisons(
  bed: SnapshotBed,
  size: GuestSize,
  cocoon: CounterpartBed | undefined,
): AsyncIterable<Comparison> {
  const { engine, env, place } = bed;
  const where = `${size.name}, on ${place.name}`;
  const runs = size.memoryMib > 256 ? 5 : 9;
  const { directory } = await engine.snapshots.inspect("golden");
  const out = join(place.dir, "out.tar");
  const copy = join(place.dir, "copy");
  const into = async (): Promise<unknown> =>
    await Promise.all([rm(out, { force: true }), rm(copy, { recursive: true, force: true })]);
  const program = (name: string, args: readonly string[], aim?: number): Case => ({
    name: `${name} ${args.filter((word) => word.startsWith("-") && word !== "-C").join(" ")}`,
    aim,
    run: () => timed(() => timeProgram(name, args, { env }), into),
  });
  yield {
    title: `export: ${where}`,
    runs,
    peer: program("tar", ["--format=pax", "-S", "-cf", out, "-C", directory, "."]),
    cases: [
      {
        name: "tar --format=pax -S -cf, sync",
        run: () =>
          timed(() => {
            timeProgram("tar", ["--format=pax", "-S", "-cf", out, "-C", directory, "."], { env });
            timeProgram("sync", [out], { env });
          }, into),
      },
      program("cp", ["-r", "--sparse=always", "--reflink=never", directory, copy]),
      ...(place.reflinks ? [program("cp", ["-r", "--reflink=always", directory, copy])] : []),
      {
        name: "SDK: exportSnapshot()",
        aim: tarAim,
        run: () =>
          timed(async () => {
            await pipeline(await exportSnapshot(engine, "golden"), createWriteStream(out));
          }, into),
      },
      {
        name: "CLI: silk snapshot export",
        aim: tarAim,
        run: () =>
          timed(() => timeSilk(["snapshot", "export", "golden", "-o", out], { env }), into),
      },
      {
        name: "CLI: silk snapshot export --zstd",
        run: () =>
          timed(
            () => timeSilk(["snapshot", "export", "golden", "--zstd", "-o", out], { env }),
            into,
          ),
      },
      ...(cocoon === undefined
        ? []
        : [
            {
              name: "cocoon snapshot export",
              run: () => timed(() => cocoon.time("snapshot", "export", "-o", out, "golden"), into),
            },
          ]),
    ],
  };

  await into();
  const archive = join(place.dir, "golden.tar");
  timeSilk(["snapshot", "export", "golden", "--force", "-o", archive], { env });
  const theirs = join(place.dir, "theirs.tar");
  await cocoon?.run("snapshot", "export", "-o", theirs, "golden");
  const forget = async (): Promise<void> => {
    const { failed } = await engine.snapshots.delete(["taken"]);
    if (failed[0] !== undefined) throw failed[0].error;
  };
  const bySilk =
    (path: string): Case["run"] =>
    () =>
      timed(
        () => timeSilk(["snapshot", "import", path, "--name", "taken"], { env }),
        undefined,
        forget,
      );
  yield {
    title: `import: ${where}`,
    runs,
    peer: {
      name: "tar -xSf",
      run: () =>
        timed(
          () => timeProgram("tar", ["-xSf", archive, "-C", copy], { env }),
          async () => {
            await into();
            await mkdir(copy);
          },
        ),
    },
    cases: [
      {
        name: "tar -xSf, sync",
        run: () =>
          timed(
            () => {
              timeProgram("tar", ["-xSf", archive, "-C", copy], { env });
              timeProgram("sh", ["-c", 'sync "$0"/* "$0"', copy], { env });
            },
            async () => {
              await into();
              await mkdir(copy);
            },
          ),
      },
      {
        name: "SDK: importSnapshot()",
        aim: tarAim,
        run: () =>
          timed(
            () =>
              importSnapshot(engine, createReadStream(archive, { highWaterMark: chunkBytes }), {
                name: "taken",
              }),
            undefined,
            forget,
          ),
      },
      { name: "CLI: silk snapshot import", aim: tarAim, run: bySilk(archive) },
      ...(cocoon === undefined
        ? []
        : [
            {
              name: "cocoon snapshot import",
              run: () =>
                timed(
                  () => cocoon.time("snapshot", "import", "--name", "taken", theirs),
                  undefined,
                  () => cocoon.run("snapshot", "rm", "taken"),
                ),
            },
            {
              name: "CLI: silk snapshot import, of the counterpart's archive",
              run: bySilk(theirs),
            },
          ]),
    ],
  };
  await into();
  await rm(theirs, { force: true });
}

async function memory({ engine, env, place }: SnapshotBed, size: GuestSize): Promise<Figures> {
  const archive = join(place.dir, "golden.tar");
  const out = join(place.dir, "out.tar");
  const rows: Figures["rows"][number][] = [];
  for (const [name, args] of [
    ["silk snapshot export", ["snapshot", "export", "golden", "-o", out]],
    ["silk snapshot import", ["snapshot", "import", archive, "--name", "taken"]],
  ] as const) {
    const peakMib = await peakOfSilk(args, { env });
    rows.push({
      name,
      cells: [`${peakMib.toFixed(0)} MiB`, mebibytes((await stat(archive)).size)],
    });
  }
  await engine.snapshots.delete(["taken"]);
  await Promise.all([archive, out].map((path) => rm(path, { force: true })));
  return {
    title: `the most memory that it takes: ${size.name}, on ${place.name}`,
    columns: ["resident", "archive"],
    rows,
  };
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
}
