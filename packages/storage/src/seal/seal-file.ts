import { basename } from "node:path";
import type { CallOptions, Host, HostFile, SnapshotFile } from "@silkvm/core";
import { ChunkHasher } from "../digest/chunk-hasher.ts";
import { readChunks } from "../digest/read-chunks.ts";
import { pageRuns, type Stretch } from "../digest/zeros.ts";

/** How a file is sealed. */
export interface SealOptions extends CallOptions {
  /** Turn what is all zeros into holes. Default true. */
  readonly sparse?: boolean | undefined;
}

/** A shorter run of zeros is left as it is: it would cost more in pieces of the file than it saves in room. */
const smallestHoleBytes = 64 * 1024;

/**
 * Makes a file the part of a snapshot that nobody writes to any more: in one pass over its data, runs of zeros become holes (64 KiB or more, in
 * whole pages) and its digest is made; then it is synced to the disk, and read-only for its owner alone (0400).
 * The content stays what it was, so a call that was interrupted can be made again.
 * @throws Node's errors of reading, writing and syncing
 */
export async function sealFile(
  host: Host,
  path: string,
  options: SealOptions = {},
): Promise<SnapshotFile> {
  await using file = await openToSeal(host, path);
  const { sizeBytes } = await file.stat();
  const hasher = new ChunkHasher();
  const puncher = options.sparse === false ? undefined : new Puncher(file);
  for await (const { position, length, bytes } of readChunks(file, sizeBytes, options)) {
    if (bytes === undefined) {
      hasher.zeros(length);
      continue;
    }
    hasher.update(bytes);
    if (puncher === undefined) continue;
    for (const run of pageRuns(bytes, "zero"))
      await puncher.add({ start: position + run.start, end: position + run.end });
  }
  await puncher?.finish();
  await file.sync();
  await host.files.chmod(path, 0o400);
  return { name: basename(path), sizeBytes, chunksSha256: hasher.digest() };
}

/** A file that had been sealed is read-only for those who are not root. */
async function openToSeal(host: Host, path: string): Promise<HostFile> {
  try {
    return await host.files.open(path, "update");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EACCES") throw error;
    await host.files.chmod(path, 0o600);
    return await host.files.open(path, "update");
  }
}

/** Turns runs of zeros into holes, runs that touch as one. A file system that has no holes keeps the zeros. */
class Puncher {
  readonly #file: HostFile;
  #run: Stretch = { start: 0, end: 0 };
  #canPunch = true;

  constructor(file: HostFile) {
    this.#file = file;
  }

  async add(run: Stretch): Promise<void> {
    if (run.start === this.#run.end) {
      this.#run = { start: this.#run.start, end: run.end };
      return;
    }
    await this.finish();
    this.#run = run;
  }

  async finish(): Promise<void> {
    const { start, end } = this.#run;
    this.#run = { start: end, end };
    if (!this.#canPunch || end - start < smallestHoleBytes) return;
    // A chunk that has data somewhere is read whole, with the holes that it has already.
    const data = await this.#file.nextData(start);
    if (data === undefined || data.start >= end) return;
    try {
      await this.#file.punchHole(start, end - start);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
      this.#canPunch = false;
    }
  }
}
