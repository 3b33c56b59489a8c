import { join } from "node:path";
import type { Host, SnapshotFile } from "@silkvm/core";
import { eachOf } from "../each-of.ts";
import { sealFile, type SealOptions } from "./seal-file.ts";

/** One file keeps the CPU busy while the other one waits for the disk. */
const filesAtOnce = 2;

/**
 * Seals files of a directory (see {@link sealFile}), then syncs the directory: what is left to do for a snapshot is its manifest.
 * @returns in the order of the names
 */
export async function sealDirectory(
  host: Host,
  directory: string,
  names: readonly string[],
  options: SealOptions = {},
): Promise<readonly SnapshotFile[]> {
  const files = await eachOf(
    names,
    filesAtOnce,
    (name, signal) => sealFile(host, join(directory, name), { ...options, signal }),
    options.signal,
  );
  await host.files.sync(directory);
  return files;
}
