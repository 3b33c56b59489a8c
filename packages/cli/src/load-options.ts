import { resolve } from "node:path";
import type { LoadOptions, SnapshotRef } from "@silkvm/core";
import { usageError } from "./cli-error.ts";

/** The values of `loadFlags`. */
interface LoadFlags {
  readonly "restore-mode"?: LoadOptions["restoreMode"];
  readonly strict: boolean;
  readonly "allow-path"?: readonly string[] | undefined;
}

/** How a command line wants a snapshot to be used. */
export function toLoadOptions(
  flags: LoadFlags,
): Pick<LoadOptions, "restoreMode" | "strict" | "allowPaths"> {
  return {
    restoreMode: flags["restore-mode"],
    strict: flags.strict,
    allowPaths: toAllowPaths(flags),
  };
}

/** Paths of `--allow-path` from the current directory on. */
export function toAllowPaths(flags: Pick<LoadFlags, "allow-path">): readonly string[] | undefined {
  return flags["allow-path"]?.map((path) => resolve(path));
}

/**
 * The snapshot that a command line names: one of silk's, or a directory.
 * @throws CliError of kind `invalid` where it names none, or two
 */
export function toSnapshotRef(
  snapshot: string | undefined,
  directory: string | undefined,
): SnapshotRef {
  if (snapshot !== undefined && directory !== undefined)
    throw usageError(
      "SNAPSHOT and --from-dir do not go together",
      "Give one of them: a snapshot that silk keeps, or a directory that holds one.",
    );
  if (directory !== undefined) return { directory: resolve(directory) };
  if (snapshot === undefined)
    throw usageError(
      "the snapshot is missing",
      "Name one that `silk snapshot list` shows, or give --from-dir DIR.",
    );
  return { snapshot };
}

/** A snapshot's name in a sentence. */
export function snapshotWords(from: SnapshotRef): string {
  return "snapshot" in from ? from.snapshot : from.directory;
}
