import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import type { FileKind, FileStat } from "@silkvm/core";
import { orElse } from "../errors.ts";

/** What is at the path, symlinks followed. Undefined where nothing is there, such as behind a symlink to nowhere. */
export async function fileStat(path: string): Promise<FileStat | undefined> {
  const stats = await orElse(stat(path), undefined, "ENOENT", "ENOTDIR");
  return stats === undefined ? undefined : statOf(stats);
}

/** Node's stat in the host port's words. */
export function statOf(stats: Stats): FileStat {
  return {
    kind: kindOf(stats),
    sizeBytes: stats.size,
    // Counted in units of 512 bytes whatever the file system's blocks are.
    allocatedBytes: stats.blocks * 512,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    device: stats.dev,
    inode: stats.ino,
    modifiedMs: stats.mtimeMs,
  };
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSocket()) return "socket";
  if (stats.isCharacterDevice()) return "character-device";
  if (stats.isBlockDevice()) return "block-device";
  if (stats.isFIFO()) return "fifo";
  return "symlink";
}
