import { isZero } from "../digest/zeros.ts";
import { archiveInvalid, shown } from "./archive-invalid.ts";
import type { ByteSource } from "./byte-source.ts";
import { blockBytes, paddingOf, parseHeader, type TarHeader } from "./header.ts";
import { paxNumber, type PaxRecords, paxValue, parsePax } from "./pax.ts";
import { readSparse } from "./sparse-formats.ts";
import { SparseMap } from "./sparse-map.ts";

/** A regular file of an archive. Its data comes next from the source: {@link storedBytes} of it, all of which the caller takes. */
export interface ArchivedFile {
  readonly name: string;
  /** Of the file when it is unpacked, holes included. */
  readonly sizeBytes: number;
  readonly storedBytes: number;
  /** Where the data belongs. */
  readonly map: SparseMap;
  readonly isSparse: boolean;
  readonly modifiedMs: number;
}

/** What a header says of the file behind it. */
interface Extras {
  pax: PaxRecords;
  name: string | undefined;
}

const mostHeaderBytes = 8 * 1024 ** 2;
/** Of an archive that has nothing but headers which say nothing. */
const mostHeadersBytes = 64 * 1024 ** 2;
const mostPaddingBytes = 64 * 1024 ** 2;

const refusedTypes: Readonly<Record<string, string>> = {
  "1": "a hard link",
  "2": "a symlink",
  "3": "a character device",
  "4": "a block device",
  "5": "a directory",
  "6": "a FIFO",
};

/**
 * The files of a tar archive, up to its end, which must be there. Understands the headers of POSIX (ustar, pax) and of GNU.
 * @throws SilkError `ARCHIVE_INVALID`: damage, a cut, something after the end, and what is no regular file
 */
export async function* readEntries(source: ByteSource): AsyncGenerator<ArchivedFile> {
  let extras: Extras = { pax: [], name: undefined };
  let headersLeft = mostHeadersBytes;
  for (;;) {
    const block = await source.needAll(blockBytes);
    if (isZero(block)) {
      if (extras.pax.length > 0 || extras.name !== undefined)
        throw archiveInvalid("its last header has no file");
      return readEnd(source);
    }
    const header = parseHeader(block);
    if ("xgLK".includes(header.type)) {
      headersLeft -= header.sizeBytes + blockBytes;
      if (header.sizeBytes > mostHeaderBytes || headersLeft < 0)
        throw archiveInvalid("its headers are too large");
      const content = await source.needAll(header.sizeBytes);
      await source.needAll(paddingOf(header.sizeBytes));
      extras = withHeader(extras, header, content);
      continue;
    }
    if (isOwnDirectory(header, extras)) {
      headersLeft -= blockBytes;
      if (headersLeft < 0) throw archiveInvalid("its headers are too large");
      extras = { pax: [], name: undefined };
      continue;
    }
    const file = await toFile(source, header, extras);
    extras = { pax: [], name: undefined };
    yield file;
    await source.needAll(paddingOf(file.storedBytes));
  }
}

/** Whether it is what `tar -C DIR .` begins with: the directory whose files come next. */
function isOwnDirectory({ type, sizeBytes, name }: TarHeader, extras: Extras): boolean {
  const told = paxValue(extras.pax, "path") ?? extras.name ?? name;
  return type === "5" && sizeBytes === 0 && (told === "./" || told === ".");
}

function withHeader(extras: Extras, { type }: TarHeader, content: Buffer): Extras {
  if (type === "x") {
    if (extras.pax.length > 0) throw archiveInvalid("a file in it has two pax headers");
    return { ...extras, pax: parsePax(content) };
  }
  if (type === "L") {
    const end = content.indexOf(0);
    return { ...extras, name: content.toString("utf8", 0, end === -1 ? content.length : end) };
  }
  // Defaults for all files are comments and times in practice; what would change a file's name, size or holes is not taken from there.
  if (
    type === "g" &&
    parsePax(content).some(([key]) => /^(path|size|GNU\.sparse\.|COCOON\.)/.test(key))
  )
    throw archiveInvalid("it has a header for all of its files that names or measures them");
  return extras;
}

async function toFile(
  source: ByteSource,
  header: TarHeader,
  extras: Extras,
): Promise<ArchivedFile> {
  const { pax } = extras;
  const told =
    paxValue(pax, "GNU.sparse.name") ?? paxValue(pax, "path") ?? extras.name ?? header.name;
  // What is in the directory that was packed, as `tar -C DIR .` has it.
  const name = told.startsWith("./") ? told.slice("./".length) : told;
  if (!"07S".includes(header.type)) {
    const what =
      refusedTypes[header.type] ?? `of a kind (${JSON.stringify(header.type)}) that is not known`;
    throw archiveInvalid(`${shown(name)} is ${what}, and only regular files are unpacked`);
  }
  const storedBytes = paxNumber(pax, "size") ?? header.sizeBytes;
  const sparse = await readSparse(source, header, storedBytes, pax);
  const { modifiedMs } = header;
  if (sparse === undefined) {
    const map = new SparseMap(storedBytes);
    map.add(0, storedBytes);
    return { name, modifiedMs, sizeBytes: storedBytes, storedBytes, map, isSparse: false };
  }
  if (sparse.map.dataBytes !== sparse.storedBytes)
    throw archiveInvalid(
      `the sparse file ${shown(name)} has ${sparse.storedBytes} bytes of data and tells of ${sparse.map.dataBytes}`,
    );
  return { name, modifiedMs, isSparse: true, ...sparse };
}

/** The end is two blocks of zeros, and zeros that fill up the last record behind them. */
async function readEnd(source: ByteSource): Promise<void> {
  if (!isZero(await source.needAll(blockBytes)))
    throw archiveInvalid("it has a block of zeros among its files");
  let left = mostPaddingBytes;
  for (let bytes = await source.some(blockBytes * 128); bytes !== undefined;) {
    left -= bytes.length;
    if (!isZero(bytes) || left < 0) throw archiveInvalid("something comes after its end");
    bytes = await source.some(blockBytes * 128);
  }
}
