import { archiveInvalid } from "./archive-invalid.ts";

/** The unit of tar: headers have it, and data is filled up to it. */
export const blockBytes = 512;

/** Bytes that fill data up to a whole block. */
export function paddingOf(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
}

/** A header block of a tar archive. */
export interface TarHeader {
  readonly name: string;
  /** Bytes that follow it. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** One character: `0` a file, `x` a pax header, … */
  readonly type: string;
  readonly block: Buffer;
}

/** Reads a header block. @throws SilkError `ARCHIVE_INVALID` */
export function parseHeader(block: Buffer): TarHeader {
  if (numberIn(block, 148, 8) !== checksum(block))
    throw archiveInvalid("a header in it is damaged, or it is no tar archive");
  const name = readText(block, 0, 100);
  // GNU's own headers have other things where POSIX has the beginning of a long name.
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? readText(block, 345, 155) : "";
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    sizeBytes: readNumber(block, 124, 12),
    modifiedMs: readNumber(block, 136, 12) * 1000,
    type: block[156] === 0 ? "0" : String.fromCharCode(block[156] ?? 0),
    block,
  };
}

/** A number of a header: octal digits or, where the first bit is set, a binary number. @throws SilkError `ARCHIVE_INVALID` */
export function readNumber(block: Buffer, offset: number, length: number): number {
  const value = numberIn(block, offset, length);
  if (Number.isSafeInteger(value)) return value;
  throw archiveInvalid("a number in one of its headers is none, or too large");
}

function numberIn(block: Buffer, offset: number, length: number): number {
  const field = block.subarray(offset, offset + length);
  return (field[0] ?? 0) >= 0x80 ? readBinary(field) : readOctal(field);
}

function readBinary(field: Buffer): number {
  // 0xff begins a negative number.
  if (field[0] !== 0x80) return NaN;
  return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
}

function readOctal(field: Buffer): number {
  const digits = /^[ \0]*([0-7]*)[ \0]*$/.exec(field.toString("latin1"))?.[1];
  if (digits === undefined) return NaN;
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function readText(block: Buffer, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

/** The sum of all bytes, those of the sum itself counted as spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 32;
  for (let index = 0; index < blockBytes; index += 1)
    if (index < 148 || index >= 156) sum += block[index] ?? 0;
  return sum;
}
