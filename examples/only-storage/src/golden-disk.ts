import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Host } from "@silkvm/core";
import { createRawDisk, type FileDigest, hashFile, packFiles, unpackFiles } from "@silkvm/storage";

const mostBytes = 1024 ** 4;

/** Makes a disk with an ext4 on it: it takes room only as it is written. A call that was interrupted can be made again. */
export function makeGoldenDisk(
  host: Host,
  path: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  return createRawDisk(host, { path, sizeBytes, fstype: "ext4", label: "golden", signal });
}

/** Copies of a disk that nobody writes to meanwhile: on XFS and btrfs they share its blocks, elsewhere its data is copied and its holes are kept. */
export async function copies(
  host: Host,
  from: string,
  count: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const paths = Array.from({ length: count }, (_, i) => from.replace(/(\.\w+)?$/, `-${i + 1}$1`));
  for (const path of paths) await host.files.copy(from, path, { signal });
  return paths;
}

/** A disk as a tar archive with its holes, for any stream: a socket, a file, an upload. GNU tar unpacks it, too. */
export function packDisk(
  host: Host,
  directory: string,
  name: string,
  signal: AbortSignal,
): Readable {
  return packFiles(host, directory, [name], { signal });
}

/** Takes in such an archive. Nothing in it is trusted: one file, of that name, is taken, into an empty directory. */
export async function unpackDisk(
  host: Host,
  archive: Readable,
  directory: string,
  name: string,
  signal: AbortSignal,
): Promise<FileDigest> {
  await host.files.mkdir(directory, { mode: 0o700 });
  await unpackFiles(host, archive, directory, {
    signal,
    rule: (found) => (found === name ? { maxBytes: mostBytes, action: "write" } : undefined),
  });
  return await hashFile(host, join(directory, name));
}
