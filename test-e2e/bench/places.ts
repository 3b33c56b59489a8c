import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SuiteContext } from "./suite.ts";

const run = promisify(execFile);

/** A directory on a file system of which something is known. */
export interface Place extends AsyncDisposable {
  /** Such as `XFS`. */
  readonly name: string;
  readonly dir: string;
  /** Whether files can share their blocks here. */
  readonly reflinks: boolean;
}

/** Where the temporary files of this machine are. */
export async function temporaryPlace(): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), "silk-bench-"));
  const { stdout } = await run("stat", ["-f", "-c", "%T", dir]);
  return {
    name: stdout.trim().replace("ext2/ext3", "ext4"),
    dir,
    reflinks: false,
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/** A new XFS of 40 GiB in a file with holes; nothing where that cannot be made, which is said. */
export async function xfsPlace({
  dir,
  note,
}: Pick<SuiteContext, "dir" | "note">): Promise<Place | undefined> {
  const image = join(dir, "xfs.img");
  const mountPoint = join(dir, "xfs");
  try {
    await run("truncate", ["-s", "40G", image]);
    await run("mkfs.xfs", ["-q", "-m", "reflink=1", image]);
    await mkdir(mountPoint);
    await run("mount", ["-o", "loop", image, mountPoint]);
  } catch (error) {
    note(`no XFS can be mounted here: ${(error as Error).message.trim()}`);
    await rm(image, { force: true });
    return undefined;
  }
  return {
    name: "XFS",
    dir: mountPoint,
    reflinks: true,
    [Symbol.asyncDispose]: async () => {
      await run("umount", [mountPoint]);
      await rm(image);
    },
  };
}
