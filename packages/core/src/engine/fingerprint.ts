import { join } from "node:path";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import type { EngineCore } from "./core.ts";

/**
 * What the files of a snapshot are like from outside: where, how large and since when. Checking every byte of a guest's memory takes a second for
 * each GiB; files that are the very same as when that was last done need it no more. Undefined where one is missing.
 */
export async function fingerprint(
  core: EngineCore,
  directory: string,
  manifest: SnapshotManifest,
): Promise<string | undefined> {
  const paths = [
    ...manifest.files.map(({ name }) => join(directory, name)),
    ...manifest.externals.map(({ path }) => path),
  ];
  const stats = await Promise.all(paths.map((path) => core.host.files.stat(path)));
  if (stats.includes(undefined)) return undefined;
  return JSON.stringify(
    stats.map((stat) => stat && [stat.device, stat.inode, stat.sizeBytes, stat.modifiedMs]),
  );
}
