import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const sizeBytes = 320 * 1024 ** 2;

/** File systems to fill, and how they are made on a file. The second shares blocks between files. */
const makers = {
  ext4: ["mkfs.ext4", "-q", "-m", "0"],
  xfs: ["mkfs.xfs", "-q", "-m", "reflink=1"],
} as const;

export type SmallDiskType = keyof typeof makers;

/** Whether this process can make a file system of a type and mount it. */
export function canMakeDisk(type: SmallDiskType): boolean {
  return process.getuid?.() === 0 && succeeds(makers[type][0], "-V") && succeeds("losetup", "-f");
}

/** A file system on a file: small, and full when a test wants it to be. */
export interface SmallDisk extends Disposable {
  /** Lets so many bytes be free, and no more. */
  leaveFree(freeBytes: number): void;
  /** Gives all room back. */
  release(): void;
}

/** Mounts a new file system at a path, until its scope ends. */
export function mountSmallDisk(type: SmallDiskType, path: string): SmallDisk {
  const image = `${path}.image`;
  const ballast = join(path, "ballast");
  writeFileSync(image, "");
  truncateSync(image, sizeBytes);
  const [program, ...options] = makers[type];
  execFileSync(program, [...options, image], { stdio: ["ignore", "ignore", "pipe"] });
  mkdirSync(path, { recursive: true });
  execFileSync("mount", ["-o", "loop", image, path]);
  const release = (): void => {
    if (!existsSync(ballast)) return;
    // XFS gives back what a removed file had some time later, and what a shortened one had at once.
    truncateSync(ballast);
    rmSync(ballast);
  };
  return {
    leaveFree: (freeBytes) => {
      release();
      const { bavail, bsize } = statfsSync(path);
      // Not all that is free can be had at once: the file system needs some of it to keep its books.
      const most = bavail * bsize - freeBytes;
      for (let length = 0, step = most; step >= bsize; step /= 2) {
        while (length + step <= most && succeeds("fallocate", "-l", whole(length + step), ballast))
          length += step;
      }
    },
    release,
    [Symbol.dispose]: () => {
      // Also where a failed test has left something running on it.
      execFileSync("umount", ["--lazy", path]);
      rmSync(image);
    },
  };
}

function whole(bytes: number): string {
  return String(Math.max(1, Math.floor(bytes)));
}

function succeeds(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}
