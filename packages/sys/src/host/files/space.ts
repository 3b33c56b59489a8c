import type { StatsFs } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { hasCode } from "../errors.ts";

/** linux/magic.h. */
const names: Readonly<Record<number, string>> = {
  0x01021994: "tmpfs",
  0x01021997: "9p",
  0x2fc12fc1: "zfs",
  0x58465342: "xfs",
  0x65735546: "fuse",
  0x6969: "nfs",
  0x73717368: "squashfs",
  0x794c7630: "overlay",
  0x858458f6: "ramfs",
  0x9123683e: "btrfs",
  0xca451a4e: "bcachefs",
  0xe0f5e1e2: "erofs",
  0xef53: "ext4",
  0xf2f52010: "f2fs",
};

/**
 * Room on the file system that holds the path, or its nearest parent that is there. Free is what this user may fill.
 * The type is the file system's name (ext2 and ext3 count as ext4), or its number in hexadecimal where it is a rare one.
 */
export async function space(
  path: string,
): Promise<{ readonly freeBytes: number; readonly totalBytes: number; readonly type: string }> {
  const { bavail, bsize, blocks, type } = await statfsNearest(resolve(path));
  return {
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    type: names[type] ?? `0x${type.toString(16)}`,
  };
}

async function statfsNearest(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (error) {
    if (path === "/" || !hasCode(error, "ENOENT", "ENOTDIR")) throw error;
    return statfsNearest(dirname(path));
  }
}
