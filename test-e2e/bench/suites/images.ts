import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { emptyMkfs, type ImageBed, makeImageBed } from "../image-bed.ts";
import { peakOfProgram, peakOfSilk, timeProgram, timeSilk } from "../program.ts";
import type { Case, Comparison, Figures, Suite } from "../suite.ts";
import { timed } from "../timed.ts";

/** To `skopeo copy` and `umoci unpack`, which leave an image unpacked in a directory. */
const pullAim = 1;
/** Of the images, in MiB. */
const sizes = { small: 32, medium: 256, large: 1024 } as const;

/** Images from a registry to what a VM boots of. */
export const images: Suite = {
  name: "images",
  description: "pull and convert against skopeo and umoci, and the counterpart",
  async *comparisons(context) {
    await using bed = await makeImageBed(context);
    if (bed === undefined) return;
    const cocoon = await counterpart(bed, context.note);
    for (const sizeMib of [sizes.small, sizes.medium]) {
      const name = await bed.publish(`image-${sizeMib}`, sizeMib);
      yield* comparisons(bed, name, sizeMib, cocoon);
    }
    yield await memory(bed, cocoon);
  },
};

/** The counterpart, as far as it comes on this host. */
interface Counterpart {
  readonly path: string;
  readonly title: string;
  readonly env: Readonly<Record<string, string>>;
  readonly rootDir: string;
}

async function counterpart(
  { dir, env }: ImageBed,
  note: (text: string) => void,
): Promise<Counterpart | undefined> {
  const path = await linuxHost().processes.which("cocoon");
  if (path === undefined) {
    note("there is no `cocoon` on PATH");
    return undefined;
  }
  const { stdout, stderr } = spawnSync("mkfs.erofs", ["--help"], { encoding: "utf8" });
  const isNew = `${stdout}${stderr}`.includes("--tar");
  const rootDir = join(dir, "cocoon");
  const own = {
    COCOON_ROOT_DIR: rootDir,
    COCOON_RUN_DIR: join(dir, "cr"),
    COCOON_LOG_DIR: join(dir, "cl"),
  };
  if (isNew) return { path, title: "cocoon image pull", env: { ...env, ...own }, rootDir };
  note("mkfs.erofs of this host is too old for cocoon: it is timed with one that makes nothing");
  const tools = [await emptyMkfs(dir), env["PATH"]].join(delimiter);
  const title = "cocoon image pull, making no file systems";
  return { path, title, env: { ...env, ...own, PATH: tools }, rootDir };
}

async function* comparisons(
  bed: ImageBed,
  name: string,
  sizeMib: number,
  cocoon: Counterpart | undefined,
): AsyncIterable<Comparison> {
  const { dir, env } = bed;
  const runs = sizeMib > 100 ? 5 : 7;
  const root = join(dir, "root");
  const clear = async (): Promise<void> => {
    for (const path of [root, join(dir, "oci"), join(dir, "bundle"), cocoon?.rootDir])
      if (path !== undefined) await rm(path, { recursive: true, force: true });
  };
  const theirs = (args: readonly string[] = []): Case[] =>
    cocoon === undefined
      ? []
      : [
          {
            name: [cocoon.title, ...args].join(" "),
            run: () =>
              timed(
                () => timeProgram(cocoon.path, ["image", "pull", ...args, name], cocoon),
                clear,
              ),
          },
        ];
  yield {
    title: `pull: ${sizeMib} MiB in 5 layers, from a registry on this machine`,
    runs,
    peer: { name: "skopeo copy, umoci unpack", run: () => timed(() => unpack(bed, name), clear) },
    cases: [
      { name: "skopeo copy alone", run: () => timed(() => copy(bed, name), clear) },
      {
        name: "silk image pull",
        aim: pullAim,
        run: () => timed(() => timeSilk(["image", "pull", name], { env }), clear),
      },
      ...theirs(),
    ],
  };
  await clear();
  timeSilk(["image", "pull", name], { env });
  if (cocoon !== undefined) timeProgram(cocoon.path, ["image", "pull", name], cocoon);
  yield {
    title: `pull of what is here and unchanged: ${sizeMib} MiB`,
    runs: 9,
    peer: {
      name: "skopeo inspect",
      run: () =>
        timeProgram("skopeo", ["inspect", "--tls-verify=false", `docker://${name}`], { env }),
    },
    cases: [
      { name: "silk image pull", run: () => timeSilk(["image", "pull", name], { env }) },
      {
        name: "silk image pull --policy missing",
        run: () => timeSilk(["image", "pull", name, "--policy", "missing"], { env }),
      },
      { name: "silk image list", run: () => timeSilk(["image", "list"], { env }) },
      ...(cocoon === undefined
        ? []
        : [
            {
              name: "cocoon image pull",
              run: () => timeProgram(cocoon.path, ["image", "pull", name], cocoon),
            },
          ]),
    ],
  };
  await clear();
}

function copy({ dir, env }: ImageBed, name: string): void {
  const to = `oci:${join(dir, "oci")}:x`;
  timeProgram("skopeo", ["copy", "--src-tls-verify=false", `docker://${name}`, to], { env });
}

function unpack(bed: ImageBed, name: string): void {
  const { dir, env } = bed;
  copy(bed, name);
  const args = ["unpack", "--image", `${join(dir, "oci")}:x`, join(dir, "bundle")];
  timeProgram("umoci", args, { env });
}

/** The most memory that each program has, for a small image and for a large one. */
async function memory(bed: ImageBed, cocoon: Counterpart | undefined): Promise<Figures> {
  const { dir, env } = bed;
  const all = [
    [`${sizes.small} MiB`, `${bed.registry.host}/image-${sizes.small}:1.0`],
    [`${sizes.large} MiB, large files`, await bed.publish("large", sizes.large, 0)],
    [`${sizes.medium} MiB, 32,768 files`, await bed.publish("many", sizes.medium, 1)],
  ] as const;
  const rows: { name: string; of: (image: string) => Promise<number> }[] = [
    { name: "silk image pull", of: (image) => peakOfSilk(["image", "pull", image], { env }) },
    {
      name: "skopeo copy",
      of: (image) => {
        const to = `oci:${join(dir, "oci")}:x`;
        const args = ["copy", "--src-tls-verify=false", `docker://${image}`, to];
        return peakOfProgram("skopeo", args, { env });
      },
    },
    ...(cocoon === undefined
      ? []
      : [
          {
            name: cocoon.title,
            of: (image: string) => peakOfProgram(cocoon.path, ["image", "pull", image], cocoon),
          },
        ]),
  ];
  const figures: { name: string; cells: string[] }[] = [];
  for (const { name, of } of rows) {
    const cells: string[] = [];
    for (const [, image] of all) {
      for (const path of [join(dir, "root"), join(dir, "oci"), cocoon?.rootDir])
        if (path !== undefined) await rm(path, { recursive: true, force: true });
      cells.push(`${Math.round(await of(image))} MiB`);
    }
    figures.push({ name, cells });
  }
  return {
    title: "most memory of the process during a pull",
    columns: all.map(([title]) => title),
    rows: figures,
  };
}
