import { join } from "node:path";
import type { CallOptions, Host } from "@silkvm/core";
import { ByteSource } from "@silkvm/storage";
import { tooLarge } from "../errors.ts";
import { readFile } from "../files/read-file.ts";
import { spool } from "../files/spool.ts";
import { unxz } from "../files/unxz.ts";
import { decompressLayer } from "../oci/decompress.ts";
import { modulesInvalid } from "./errors.ts";

const magic = "!<arch>\n";
const headerBytes = 60;
const mostBytes = 8 * 1024 ** 3;

/** Whether a file is a package of Debian's. */
export async function isDeb(host: Host, path: string): Promise<boolean> {
  const head = Buffer.from(await host.files.readRange(path, 0, magic.length));
  return head.toString("latin1") === magic;
}

/** A tar that is not compressed, and where in its file it begins and ends. */
export interface PlainTar {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The tar that is in a .deb, or is a tar already, unpacked into a directory of the caller's own where it is compressed.
 * @throws SilkError `MODULES_INVALID`, `LAYER_INVALID`, `XZ_NOT_FOUND`, `DISK_FULL`
 */
export async function openTar(
  host: Host,
  path: string,
  directory: string,
  options: CallOptions,
): Promise<PlainTar> {
  const { Readable } = process.getBuiltinModule("node:stream");
  const whole = { start: 0, end: (await host.files.stat(path))?.sizeBytes ?? 0 };
  const member = (await isDeb(host, path)) ? await dataMember(host, path) : whole;
  if (member.end > whole.end) throw modulesInvalid(`the package ${path} is cut off`);
  const head = Buffer.alloc(6);
  head.set(await host.files.readRange(path, member.start, Math.min(6, member.end - member.start)));
  const bytes = readFile(host, path, { ...member, signal: options.signal });
  const unpacked = join(directory, "data.tar");
  // Node has no xz.
  if (head.toString("latin1") === "\xfd7zXZ\0") {
    await spool(host, Readable.from(bytes), `${unpacked}.xz`, options);
    await unxz(host, `${unpacked}.xz`, { what: path, mostBytes, signal: options.signal });
  } else {
    const isPacked = head.readUInt16BE(0) === 0x1f8b || head.readUInt32LE(0) === 0xfd2fb528;
    if (!isPacked) return { path, ...member };
    await spool(host, Readable.from(limited(decompressLayer(bytes), path)), unpacked, options);
  }
  const sizeBytes = (await host.files.stat(unpacked))?.sizeBytes ?? 0;
  return { path: unpacked, start: 0, end: sizeBytes };
}

async function* limited(chunks: AsyncIterable<Uint8Array>, what: string) {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw tooLarge(what, mostBytes);
    yield chunk;
  }
}

/** Where in a .deb its files are. */
async function dataMember(host: Host, path: string): Promise<{ start: number; end: number }> {
  const chunks = readFile(host, path);
  try {
    return await findMember(new ByteSource(chunks), path);
  } finally {
    await chunks.return(undefined);
  }
}

async function findMember(
  source: ByteSource,
  path: string,
): Promise<{ start: number; end: number }> {
  await source.needAll(magic.length);
  for (let position = magic.length; ;) {
    const header = await source.take(headerBytes);
    if (header === undefined) throw modulesInvalid(`the package ${path} has no data.tar in it`);
    const name = header.toString("latin1", 0, 16).trim();
    const size = Number(header.toString("latin1", 48, 58).trim());
    if (!Number.isSafeInteger(size) || size < 0)
      throw modulesInvalid(`the package ${path} is damaged`);
    position += headerBytes;
    if (name.startsWith("data.tar")) return { start: position, end: position + size };
    for (let left = size + (size % 2); left > 0;) left -= (await source.need(left)).length;
    position += size + (size % 2);
  }
}
