import { join } from "node:path";
import { Readable } from "node:stream";
import {
  type CallOptions,
  type Host,
  type HostFile,
  SilkError,
  type SnapshotFile,
  toSilkError,
} from "@silkvm/core";
import { ChunkHasher } from "../digest/chunk-hasher.ts";
import { checkSpace } from "../space.ts";
import { archiveInvalid, shown } from "./archive-invalid.ts";
import { ByteSource } from "./byte-source.ts";
import { decompressed } from "./decompress.ts";
import { type ArchivedFile, readEntries } from "./read-entries.ts";
import { SparseFileWriter } from "./sparse-file-writer.ts";

/** What is to become of a file of an archive. */
export interface UnpackRule {
  /** The largest size that it may have, holes included. */
  readonly maxBytes: number;
  /** `write`: into the directory. `keep`: into memory, for {@link UnpackedFile.content}. `skip`: nowhere. */
  readonly action: "write" | "keep" | "skip";
}

/** A file that was unpacked. */
export interface UnpackedFile extends SnapshotFile {
  /** As the archive tells it. */
  readonly modifiedMs: number;
  /** Where the rule was to keep it. */
  readonly content?: Buffer | undefined;
}

/** How far it is. */
export interface ArchiveProgress {
  /** Bytes of files so far, holes included. */
  readonly doneBytes: number;
  /** Bytes of all files, where that is known. */
  readonly totalBytes?: number | undefined;
  /** The file that is being worked on. */
  readonly file: string;
}

/** Options of {@link unpackFiles}. */
export interface UnpackOptions extends CallOptions {
  /** Whether a file is wanted: asked when its header is read. Undefined refuses the archive. */
  readonly rule: (name: string) => UnpackRule | undefined;
  /** Told of each file when it is on the disk, or in memory. What it throws ends the unpacking. */
  readonly onFile?: ((file: UnpackedFile) => void | Promise<void>) | undefined;
  readonly onProgress?: ((progress: ArchiveProgress) => void) | undefined;
  /** Permission bits of the files. Default 0600. */
  readonly mode?: number | undefined;
}

/** No directory, and nothing that hides or ends a name early. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Unpacks a tar archive of plain files, uncompressed, gzip or zstd, into an existing directory, in constant memory. Zeros become holes. Understands GNU's sparse files
 * (1.0, 0.1, 0.0 and the old headers) and those of Cocoon. Nothing is ever written outside of the directory or over a file that is there; whoever
 * calls removes the directory where it fails. The files are synced; the directory is left to the caller.
 * @returns the files in the order of the archive
 * @throws SilkError `ARCHIVE_INVALID` for whatever is wrong with the archive, `DISK_FULL`; what reading the input throws
 */
export async function unpackFiles(
  host: Host,
  input: Readable | AsyncIterable<Uint8Array>,
  directory: string,
  options: UnpackOptions,
): Promise<readonly UnpackedFile[]> {
  const { signal } = options;
  const stream = input instanceof Readable ? input : Readable.from(input);
  const abort = (): void => {
    stream.destroy(signal?.reason as Error);
  };
  signal?.addEventListener("abort", abort, { once: true });
  const chunks = decompressed(stream);
  try {
    signal?.throwIfAborted();
    return await unpackEntries(host, new ByteSource(chunks), directory, options);
  } catch (error) {
    signal?.throwIfAborted();
    throw toSilkError(error, "cannot unpack the archive");
  } finally {
    signal?.removeEventListener("abort", abort);
    await chunks.return(undefined);
    stream.destroy();
  }
}

async function unpackEntries(
  host: Host,
  source: ByteSource,
  directory: string,
  options: UnpackOptions,
): Promise<readonly UnpackedFile[]> {
  const files: UnpackedFile[] = [];
  const names = new Set<string>();
  let doneBytes = 0;
  for await (const entry of readEntries(source)) {
    const rule = checkEntry(entry, names, options.rule);
    names.add(entry.name);
    const before = doneBytes;
    const report = (position: number): void => {
      options.signal?.throwIfAborted();
      doneBytes = before + position;
      options.onProgress?.({ doneBytes, file: entry.name });
    };
    const file = await takeFile(host, source, directory, entry, rule, options.mode, report);
    report(entry.sizeBytes);
    files.push(file);
    await options.onFile?.(file);
  }
  return files;
}

function checkEntry(
  { name, sizeBytes }: ArchivedFile,
  names: ReadonlySet<string>,
  ruleOf: UnpackOptions["rule"],
): UnpackRule {
  if (!plainName.test(name)) throw archiveInvalid(`${shown(name)} is no plain file name`);
  if (names.has(name)) throw archiveInvalid(`${shown(name)} is in it twice`);
  const rule = ruleOf(name);
  if (rule === undefined) throw archiveInvalid(`${shown(name)} does not belong into it`);
  if (sizeBytes > rule.maxBytes)
    throw archiveInvalid(
      `${shown(name)} is ${sizeBytes} bytes large, and at most ${rule.maxBytes} are expected`,
    );
  return rule;
}

async function takeFile(
  host: Host,
  source: ByteSource,
  directory: string,
  entry: ArchivedFile,
  { action }: UnpackRule,
  mode: number | undefined,
  report: (position: number) => void,
): Promise<UnpackedFile> {
  const { name, sizeBytes, modifiedMs } = entry;
  if (action !== "write") {
    const content = action === "keep" ? Buffer.alloc(sizeBytes) : undefined;
    const hasher = new ChunkHasher();
    await eachPiece(source, entry, report, {
      data: (bytes) => {
        content?.set(bytes, hasher.sizeBytes);
        hasher.update(bytes);
      },
      hole: (count) => hasher.zeros(count),
    });
    return { name, sizeBytes, modifiedMs, chunksSha256: hasher.digest(), content };
  }
  // A sparse file tells how much room it needs; any other may turn out to be zeros for the most part.
  if (entry.isSparse) await checkSpace(host, directory, entry.storedBytes, name);
  await using file = await host.files.open(join(directory, name), "create", { mode });
  await setSize(file, entry);
  const writer = new SparseFileWriter(file);
  try {
    await eachPiece(source, entry, report, {
      data: (bytes) => writer.data(bytes),
      hole: (count) => writer.hole(count),
    });
    return { name, sizeBytes, modifiedMs, chunksSha256: await writer.finish() };
  } finally {
    await writer.settle();
  }
}

async function setSize(file: HostFile, { name, sizeBytes }: ArchivedFile): Promise<void> {
  try {
    await file.truncate(sizeBytes);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "EFBIG" && code !== "EINVAL") throw error;
    throw new SilkError(
      `${name} is ${sizeBytes} bytes large, which is more than a file can be on this file system`,
      { code: "ARCHIVE_INVALID", kind: "invalid", cause: error },
    );
  }
}

interface FileSink {
  readonly data: (bytes: Buffer) => void | Promise<void>;
  readonly hole: (count: number) => void | Promise<void>;
}

async function eachPiece(
  source: ByteSource,
  { map, sizeBytes }: ArchivedFile,
  report: (position: number) => void,
  sink: FileSink,
): Promise<void> {
  let position = 0;
  for (const { start, length } of map.pieces()) {
    if (start > position) await sink.hole(start - position);
    for (let left = length; left > 0;) {
      const bytes = await source.need(left);
      await sink.data(bytes);
      left -= bytes.length;
      report(start + length - left);
    }
    position = start + length;
  }
  if (sizeBytes > position) await sink.hole(sizeBytes - position);
}
