import { resolve, sep } from "node:path";
import {
  type CallOptions,
  type Host,
  SilkError,
  type SnapshotManifest,
  toSilkError,
} from "@silkvm/core";
import { hashFile } from "../digest/hash-file.ts";

/**
 * Lets a snapshot from elsewhere use files of this host for good: those that the user allows are looked at now, and what they hold is written into the manifest in the place of
 * what it had told of them. Whoever clones from it later needs to allow nothing.
 * @param allowPaths absolute paths of files, or of directories of such
 * @throws SilkError `FILE_NOT_FOUND` where a file that is allowed is not there
 */
export async function pinExternals(
  host: Host,
  manifest: SnapshotManifest,
  allowPaths: readonly string[],
  options: CallOptions = {},
): Promise<SnapshotManifest> {
  const externals = [];
  for (const external of manifest.externals) {
    const path = resolve(external.path);
    const isAllowed = allowPaths.some((allowed) => isWithin(path, resolve(allowed)));
    externals.push(isAllowed ? await pinned(host, external.path, options) : external);
  }
  return { ...manifest, externals };
}

function isWithin(path: string, allowed: string): boolean {
  return path === allowed || path.startsWith(allowed === sep ? sep : `${allowed}${sep}`);
}

async function pinned(
  host: Host,
  path: string,
  { signal }: CallOptions,
): Promise<SnapshotManifest["externals"][number]> {
  const stat = await host.files.stat(path);
  if (stat === undefined)
    throw new SilkError(`${path}, which the snapshot needs and may use, is not there`, {
      code: "FILE_NOT_FOUND",
      kind: "not-found",
      hint: `Put the file that the snapshot was made with at ${path}.`,
      details: { path },
    });
  // A device's content is nobody's to promise: it has to be allowed each time.
  if (stat.kind !== "file") return { path };
  try {
    return { path, ...(await hashFile(host, await host.files.realpath(path), { signal })) };
  } catch (error) {
    signal?.throwIfAborted();
    throw toSilkError(error, `cannot read ${path}`);
  }
}
