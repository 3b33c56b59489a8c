import { once } from "node:events";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type CallOptions, type Host, type HostFile, SilkError, toSilkError } from "@silkvm/core";
import type { Pack } from "tar-stream";
import { blockBytes, paddingOf } from "./header.ts";
import { SparseMap } from "./sparse-map.ts";
import type { ArchiveProgress } from "./unpack-files.ts";

/** Options of {@link packFiles}. */
export interface PackOptions extends CallOptions {
  readonly onProgress?: ((progress: ArchiveProgress) => void) | undefined;
}

/** What is read at a time: more is no faster, and takes memory by each piece that waits to be written. */
const pieceBytes = 128 * 1024;

/** Larger files have their size in a pax record too: eleven octal digits cannot tell it. */
const largestOctal = 8 * 1024 ** 3 - 1;

/**
 * Packs files of a directory, in the given order, into an uncompressed tar archive, in constant memory and no faster than it is read. Files with holes
 * are sparse files of GNU's version 1.0 in pax headers, which GNU tar and others unpack with their holes. The files must not change meanwhile.
 * What fails ends the stream with a SilkError; an abort with kind `aborted`.
 */
export function packFiles(
  host: Host,
  directory: string,
  names: readonly string[],
  options: PackOptions = {},
): Readable {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    // Loaded here, because many who use this package pack nothing.
    const { pack } = await import("tar-stream");
    const archive = pack({ highWaterMark: pieceBytes });
    const packing = packAll(host, directory, names, archive, options).then(
      () => archive.finalize(),
      (error: unknown) => archive.destroy(toSilkError(error, `cannot pack ${directory}`)),
    );
    try {
      yield* archive as AsyncIterable<Uint8Array>;
    } finally {
      archive.destroy();
      await packing;
    }
  }
  return Readable.from(bytes(), { objectMode: false, highWaterMark: pieceBytes });
}

async function packAll(
  host: Host,
  directory: string,
  names: readonly string[],
  archive: Pack,
  options: PackOptions,
): Promise<void> {
  let doneBytes = 0;
  for (const name of names) {
    options.signal?.throwIfAborted();
    await using file = await host.files.open(join(directory, name), "read");
    const before = doneBytes;
    const { sizeBytes } = await packFile(archive, name, file, (position) => {
      options.signal?.throwIfAborted();
      doneBytes = before + position;
      options.onProgress?.({ doneBytes, file: name });
    });
    doneBytes = before + sizeBytes;
  }
}

async function packFile(
  archive: Pack,
  name: string,
  file: HostFile,
  report: (position: number) => void,
): Promise<{ readonly sizeBytes: number }> {
  const { kind, sizeBytes, modifiedMs } = await file.stat();
  if (kind !== "file")
    throw new SilkError(`${name} is no file but a ${kind}`, {
      code: "NOT_A_FILE",
      kind: "invalid",
    });
  const map = await dataOf(file, sizeBytes);
  const isSparse = map.dataBytes < sizeBytes;
  const list = isSparse ? sparseList(map, sizeBytes) : Buffer.alloc(0);
  const size = list.length + map.dataBytes;
  const pax = {
    ...(isSparse ? sparseRecords(name, sizeBytes) : {}),
    ...(size > largestOctal ? { size: String(size) } : {}),
  };
  const entry = archive.entry({
    name: isSparse ? `GNUSparseFile.0/${name}` : name,
    size,
    mode: 0o600,
    mtime: new Date(modifiedMs),
    type: "file",
    ...(Object.keys(pax).length > 0 ? { pax } : {}),
  });
  // An entry without data is at its end already.
  const ended = size === 0 ? undefined : once(entry, "close");
  ended?.catch(() => undefined);
  const write = async (bytes: Uint8Array): Promise<void> => {
    if (!entry.write(bytes)) await Promise.race([once(entry, "drain"), ended]);
    if (archive.destroying)
      throw new SilkError("the archive is not wanted any more", {
        code: "ABORTED",
        kind: "aborted",
      });
  };
  if (list.length > 0) await write(list);
  await writePieces(file, map, name, write, report);
  entry.end(undefined);
  await ended;
  report(sizeBytes);
  return { sizeBytes };
}

/** Where the file has data, by whole blocks: GNU tar fills each piece up to one. */
async function dataOf(file: HostFile, sizeBytes: number): Promise<SparseMap> {
  const map = new SparseMap(sizeBytes);
  let end = 0;
  while (end < sizeBytes) {
    const stretch = await file.nextData(end);
    if (stretch === undefined || stretch.start >= sizeBytes) break;
    const start = Math.max(end, stretch.start - (stretch.start % blockBytes));
    end = Math.min(sizeBytes, stretch.end + paddingOf(stretch.end));
    map.add(start, end - start);
  }
  return map;
}

function sparseRecords(name: string, sizeBytes: number): Record<string, string> {
  return {
    "GNU.sparse.major": "1",
    "GNU.sparse.minor": "0",
    "GNU.sparse.name": name,
    "GNU.sparse.realsize": String(sizeBytes),
  };
}

/** The list of pieces that comes before the data: their number, then start and length of each, a number a line, filled up to a block. */
function sparseList(map: SparseMap, sizeBytes: number): Buffer {
  const lines: string[] = [];
  let end = 0;
  for (const { start, length } of map.pieces()) {
    lines.push(`${start}\n${length}\n`);
    end = start + length;
  }
  // A hole at the end is told by an empty piece behind it.
  if (end < sizeBytes) lines.push(`${sizeBytes}\n0\n`);
  const text = Buffer.from(`${lines.length}\n${lines.join("")}`, "latin1");
  return Buffer.concat([text, Buffer.alloc(paddingOf(text.length))]);
}

/** Writes the data of the pieces; the next stretch is read while one is written. */
async function writePieces(
  file: HostFile,
  map: SparseMap,
  name: string,
  write: (bytes: Uint8Array) => Promise<void>,
  report: (position: number) => void,
): Promise<void> {
  const read = async (position: number, length: number): Promise<Uint8Array> => {
    // A new one each time: whoever reads the archive may hold on to it.
    const bytes = Buffer.allocUnsafeSlow(length);
    if ((await file.read(bytes, position)) < length)
      throw new SilkError(`${name} was cut short while it was packed`, {
        code: "FILE_BUSY",
        kind: "busy",
      });
    return bytes;
  };
  let ahead: { readonly end: number; readonly bytes: Promise<Uint8Array> } | undefined;
  const passOn = async (): Promise<void> => {
    if (ahead === undefined) return;
    const { end, bytes } = ahead;
    await write(await bytes);
    report(end);
  };
  try {
    for (const { start, length } of map.pieces())
      for (let position = start; position < start + length;) {
        const count = Math.min(pieceBytes, start + length - position);
        const bytes = read(position, count);
        bytes.catch(() => undefined);
        await passOn();
        position += count;
        ahead = { end: position, bytes };
      }
    await passOn();
  } finally {
    await ahead?.bytes.catch(() => undefined);
  }
}
