import * as v from "valibot";
import { archiveInvalid } from "./archive-invalid.ts";
import type { ByteSource } from "./byte-source.ts";
import { blockBytes, readNumber, type TarHeader } from "./header.ts";
import { parseCount, paxNumber, type PaxRecords, paxValue } from "./pax.ts";
import { SparseMap } from "./sparse-map.ts";

/** A sparse file of an archive: what it is when it is unpacked, and how much of the archive its data takes. */
export interface SparseEntry {
  readonly sizeBytes: number;
  readonly map: SparseMap;
  /** Bytes of the archive that remain for its data. */
  readonly storedBytes: number;
}

/**
 * How a file is sparse, by whichever way an archive tells: GNU's 1.0, 0.1 and 0.0 in pax headers, GNU's old headers, and the `COCOON.sparse` keys of Cocoon.
 * Reads what of that comes before the data.
 * @returns undefined for a file without holes
 * @throws SilkError `ARCHIVE_INVALID`
 */
export async function readSparse(
  source: ByteSource,
  header: TarHeader,
  storedBytes: number,
  records: PaxRecords,
): Promise<SparseEntry | undefined> {
  if (header.type === "S") return readOldGnu(source, header, storedBytes);
  if (paxValue(records, "COCOON.sparse.map") !== undefined)
    return { ...readCocoon(records), storedBytes };
  if (!records.some(([key]) => key.startsWith("GNU.sparse."))) return undefined;
  const major = paxValue(records, "GNU.sparse.major");
  const minor = paxValue(records, "GNU.sparse.minor");
  if (major === "1" && minor === "0") return readVersion1(source, records, storedBytes);
  if (major !== undefined && !(major === "0" && (minor === "0" || minor === "1")))
    throw archiveInvalid(`a sparse file in it is of version ${major}.${minor}, which is not known`);
  return { ...readVersion0(records), storedBytes };
}

/** The list is at the start of the data: the number of pieces, then start and length of each, a number a line, filled up to a block. */
async function readVersion1(
  source: ByteSource,
  records: PaxRecords,
  storedBytes: number,
): Promise<SparseEntry> {
  const sizeBytes = paxNumber(records, "GNU.sparse.realsize");
  if (sizeBytes === undefined) throw archiveInvalid("a sparse file in it has no size");
  const map = new SparseMap(sizeBytes);
  let left = storedBytes;
  let numbersLeft: number | undefined;
  let start: number | undefined;
  let digits = "";
  while (numbersLeft === undefined || numbersLeft > 0) {
    left -= blockBytes;
    if (left < 0) throw archiveInvalid("the list of the data of a sparse file in it is cut short");
    const lines = (digits + (await source.needAll(blockBytes)).toString("latin1")).split("\n");
    digits = lines.pop() ?? "";
    for (const line of lines) {
      if (numbersLeft === 0) break;
      const value = parseCount(line, "the list of the data of a sparse file");
      if (numbersLeft === undefined) {
        numbersLeft = value * 2;
        continue;
      }
      numbersLeft -= 1;
      if (start === undefined) {
        start = value;
      } else {
        map.add(start, value);
        start = undefined;
      }
    }
    if (numbersLeft !== 0 && digits.length > 16)
      throw archiveInvalid("the list of the data of a sparse file in it is no list of numbers");
  }
  return { sizeBytes, map, storedBytes: left };
}

/** The list is in the pax header: 0.1 has it in one record, 0.0 in two records for each piece. */
function readVersion0(records: PaxRecords): Omit<SparseEntry, "storedBytes"> {
  const sizeBytes =
    paxNumber(records, "GNU.sparse.size") ?? paxNumber(records, "GNU.sparse.realsize");
  if (sizeBytes === undefined) throw archiveInvalid("a sparse file in it has no size");
  const map = new SparseMap(sizeBytes);
  const list = paxValue(records, "GNU.sparse.map");
  const numbers =
    list === undefined
      ? records
          .filter(([key]) => key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes")
          .map(([key, value], index) => {
            const isInTurn =
              key === (index % 2 === 0 ? "GNU.sparse.offset" : "GNU.sparse.numbytes");
            return isInTurn ? value : "";
          })
      : list.split(",");
  if (numbers.length % 2 === 1)
    throw archiveInvalid("the list of the data of a sparse file in it is cut short");
  const value = (index: number): number =>
    parseCount(numbers[index] ?? "", "the list of the data of a sparse file");
  for (let index = 0; index < numbers.length; index += 2) map.add(value(index), value(index + 1));
  const count = paxNumber(records, "GNU.sparse.numblocks");
  if (count !== undefined && count * 2 !== numbers.length)
    throw archiveInvalid(
      "the list of the data of a sparse file in it has not the length that it tells",
    );
  return { sizeBytes, map };
}

/** Four pieces are in the header itself, 21 more in each block that follows it. */
async function readOldGnu(
  source: ByteSource,
  { block }: TarHeader,
  storedBytes: number,
): Promise<SparseEntry> {
  const sizeBytes = readNumber(block, 483, 12);
  const map = new SparseMap(sizeBytes);
  const addPieces = (from: Buffer, first: number, count: number): void => {
    for (let offset = first; offset < first + count * 24; offset += 24)
      // An unused piece is blank.
      if (from[offset] !== 0)
        map.add(readNumber(from, offset, 12), readNumber(from, offset + 12, 12));
  };
  addPieces(block, 386, 4);
  for (let isExtended = block[482] === 1; isExtended;) {
    const extension = await source.needAll(blockBytes);
    addPieces(extension, 0, 21);
    isExtended = extension[504] === 1;
  }
  return { sizeBytes, map, storedBytes };
}

const cocoonMap = v.array(v.object({ o: v.number(), l: v.number() }));

function readCocoon(records: PaxRecords): Omit<SparseEntry, "storedBytes"> {
  const sizeBytes = paxNumber(records, "COCOON.sparse.size");
  if (sizeBytes === undefined) throw archiveInvalid("a sparse file in it has no size");
  let pieces: v.InferOutput<typeof cocoonMap>;
  try {
    // A file of holes alone has a list that is null.
    pieces = v.parse(
      v.nullish(cocoonMap, []),
      JSON.parse(paxValue(records, "COCOON.sparse.map") ?? ""),
    );
  } catch (error) {
    throw archiveInvalid("the list of the data of a sparse file in it is none", error);
  }
  const map = new SparseMap(sizeBytes);
  for (const { o, l } of pieces) map.add(o, l);
  return { sizeBytes, map };
}
