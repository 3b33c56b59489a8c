import { join } from "node:path";
import {
  type CallOptions,
  type Host,
  manifestName,
  SilkError,
  type SnapshotFile,
  toSilkError,
} from "@silkvm/core";
import { hashFile } from "../digest/hash-file.ts";
import { eachOf } from "../each-of.ts";

/** What is checked of files. */
export interface VerifyOptions extends CallOptions {
  /** Also every byte, not only that they are there and their sizes. */
  readonly content: boolean;
}

const filesAtOnce = 2;

/**
 * Checks that a directory holds the files of a snapshot's manifest and, but for the manifest itself, no others: regular files, no symlinks, of the right sizes
 * and, with `content`, with the right content.
 * @throws SilkError `SNAPSHOT_DAMAGED`, naming the file and what is wrong with it
 */
export async function verifyFiles(
  host: Host,
  directory: string,
  files: readonly SnapshotFile[],
  options: VerifyOptions,
): Promise<void> {
  for (const file of files) await verifyShape(host, directory, file);
  const known = new Set([manifestName, ...files.map(({ name }) => name)]);
  const extra = (await host.files.list(directory)).find((name) => !known.has(name));
  if (extra !== undefined) throw damaged(directory, extra, "is not a part of it");
  if (!options.content) return;
  await eachOf(
    files,
    filesAtOnce,
    async (file, signal) => {
      const path = join(directory, file.name);
      const found = await hashFile(host, path, { signal }).catch((error: unknown) => {
        throw signal.aborted ? error : toSilkError(error, `cannot read ${path}`);
      });
      checkDigest(directory, file, found.chunksSha256);
    },
    options.signal,
  );
}

async function verifyShape(host: Host, directory: string, file: SnapshotFile): Promise<void> {
  const path = join(directory, file.name);
  let stat;
  try {
    await using opened = await host.files.open(path, "read");
    stat = await opened.stat();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ENOENT") throw damaged(directory, file.name, "is missing");
    if (code === "ELOOP") throw damaged(directory, file.name, "is a symlink and no file");
    if (code === "ENXIO") throw damaged(directory, file.name, "is no file");
    throw toSilkError(error, `cannot read ${path}`);
  }
  if (stat.kind !== "file") throw damaged(directory, file.name, `is no file but a ${stat.kind}`);
  const more = stat.sizeBytes - file.sizeBytes;
  if (more < 0) throw damaged(directory, file.name, `is ${-more} bytes short`);
  if (more > 0) throw damaged(directory, file.name, `is ${more} bytes too long`);
}

/**
 * Compares a file's digest with the one that the manifest tells.
 * @throws SilkError `SNAPSHOT_DAMAGED`
 */
export function checkDigest(directory: string, file: SnapshotFile, chunksSha256: string): void {
  if (chunksSha256 === file.chunksSha256) return;
  throw damaged(
    directory,
    file.name,
    `does not have the content that the manifest tells: expected ${file.chunksSha256}, found ${chunksSha256}`,
  );
}

/** The error for a snapshot that is not whole. */
export function damaged(directory: string, file: string, why: string): SilkError {
  return new SilkError(`the snapshot in ${directory} is damaged: ${file} ${why}`, {
    code: "SNAPSHOT_DAMAGED",
    kind: "failed",
    hint: "Take another snapshot, or import it again from a good copy.",
    details: { directory, file },
  });
}
