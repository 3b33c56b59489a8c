import { buffer } from "node:stream/consumers";
import type { Readable } from "node:stream";

/** A header block as it is to be, also what no program would write. */
export interface HeaderBytes {
  readonly name?: string;
  readonly prefix?: string;
  readonly sizeBytes?: number;
  /** Octal digits or other bytes in the size's field, instead of the size. */
  readonly sizeField?: string | Buffer;
  readonly type?: string;
  readonly linkName?: string;
  /** `posix`, `gnu`, or `v7`, which has none. */
  readonly magic?: "posix" | "gnu" | "v7";
  /** Changes the block before its sum is made. */
  readonly edit?: (block: Buffer) => void;
}

export function header(wanted: HeaderBytes = {}): Buffer {
  const block = Buffer.alloc(512);
  block.write(wanted.name ?? "file", 0, 100, "utf8");
  block.write("0000600\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  const size = `${(wanted.sizeBytes ?? 0).toString(8).padStart(11, "0")}\0`;
  const sizeField = wanted.sizeField ?? size;
  (typeof sizeField === "string" ? Buffer.from(sizeField, "latin1") : sizeField).copy(block, 124);
  block.write("14000000000\0", 136);
  block.write(wanted.type ?? "0", 156, "latin1");
  block.write(wanted.linkName ?? "", 157, 100);
  if (wanted.magic === "gnu") block.write("ustar  \0", 257);
  else if (wanted.magic !== "v7") block.write("ustar\x0000", 257);
  block.write(wanted.prefix ?? "", 345, 155);
  wanted.edit?.(block);
  block.write("        ", 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** Bytes, filled up to whole blocks. */
export function padded(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** A regular file. */
export function file(name: string, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([header({ name, sizeBytes: bytes.length }), padded(bytes)]);
}

/** A record of a pax header, its length in front of it. */
export function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

/** A pax header in front of a file. */
export function pax(...records: readonly (readonly [key: string, value: string])[]): Buffer {
  return extension("x", records.map(([key, value]) => paxRecord(key, value)).join(""));
}

/** A header of headers: `x`, `g`, `L`, `K`. */
export function extension(type: string, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([
    header({ name: "PaxHeader", type, sizeBytes: bytes.length }),
    padded(bytes),
  ]);
}

export const end: Buffer = Buffer.alloc(1024);

/** A whole archive. */
export function tar(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, end]);
}

/** Bytes as they come from a stream, in pieces of a size that fits nothing. */
export async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size)
    yield bytes.subarray(start, start + size);
}

/** All that comes out of a stream. */
export function collect(stream: Readable): Promise<Buffer> {
  return buffer(stream);
}
