import { pipeline, Readable } from "node:stream";
import { ByteSource } from "@silkvm/storage";
import { layerInvalid } from "../errors.ts";

const chunkSize = 256 * 1024;
const zstdMagic = 0xfd2fb528;

/**
 * The bytes of a layer, uncompressed where its first bytes say that it is gzip or zstd; of both there may be any number of pieces one after the other, as
 * programs write them that compress side by side, or let parts be fetched.
 * @throws SilkError `LAYER_INVALID`
 */
export async function* decompressLayer(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const chunks = input[Symbol.asyncIterator]();
  try {
    const source = new ByteSource(chunks);
    const head = await peek(source);
    const rest = remaining(source, head);
    if (head[0] === 0x1f && head[1] === 0x8b) {
      const { createGunzip } = process.getBuiltinModule("node:zlib");
      // What fails in front of it ends the decoder with the same error, which is thrown from there.
      yield* pipeline(Readable.from(rest), createGunzip({ chunkSize }), () => undefined);
    } else if (isZstd(head)) yield* zstdFrames(new ByteSource(rest));
    else yield* rest;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === "string" && /^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD|ERR__ERROR)/.test(code))
      throw layerInvalid(`it cannot be decompressed (${(error as Error).message})`, error);
    throw error;
  } finally {
    await chunks.return?.();
  }
}

async function peek(source: ByteSource): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < 4) {
    const bytes = await source.some(4 - head.length);
    if (bytes === undefined) break;
    head = Buffer.concat([head, bytes]);
  }
  return head;
}

function isZstd(head: Buffer): boolean {
  if (head.length < 4) return false;
  const magic = head.readUInt32LE(0);
  return magic === zstdMagic || isSkippable(magic);
}

function isSkippable(magic: number): boolean {
  return magic >>> 4 === 0x184d2a5;
}

async function* remaining(source: ByteSource, head: Buffer): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (;;) {
    const bytes = await source.some(chunkSize);
    if (bytes === undefined) return;
    yield bytes;
  }
}

/** Node's decoder ends with the first frame, so each frame gets one. */
async function* zstdFrames(source: ByteSource): AsyncGenerator<Uint8Array> {
  const { createZstdDecompress } = process.getBuiltinModule("node:zlib");
  for (;;) {
    const magic = await source.take(4);
    if (magic === undefined) return;
    if (isSkippable(magic.readUInt32LE(0))) {
      let left = (await source.needAll(4)).readUInt32LE(0);
      while (left > 0) left -= (await source.need(left)).length;
      continue;
    }
    if (magic.readUInt32LE(0) !== zstdMagic)
      throw layerInvalid("there is no zstd where some should be");
    const frame = Readable.from(zstdFrame(source, magic));
    yield* pipeline(
      frame,
      createZstdDecompress({ chunkSize }),
      () => undefined,
    ) as AsyncIterable<Uint8Array>;
  }
}

/** The bytes of one frame: RFC 8878, 3.1.1. */
async function* zstdFrame(source: ByteSource, magic: Buffer): AsyncGenerator<Buffer> {
  yield Buffer.from(magic);
  const descriptor = Buffer.from(await source.needAll(1));
  yield descriptor;
  const flags = descriptor[0] ?? 0;
  const isSingle = (flags & 0x20) !== 0;
  const sizeFlag = flags >>> 6;
  const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 2 ** sizeFlag;
  const idBytes = [0, 1, 2, 4][flags & 3] ?? 0;
  const headerBytes = (isSingle ? 0 : 1) + idBytes + sizeBytes;
  if (headerBytes > 0) yield Buffer.from(await source.needAll(headerBytes));
  for (let isLast = false; !isLast;) {
    const block = Buffer.from(await source.needAll(3));
    yield block;
    const word = block.readUIntLE(0, 3);
    isLast = (word & 1) === 1;
    // A block of one byte that is repeated has that byte alone.
    const length = ((word >>> 1) & 3) === 1 ? 1 : word >>> 3;
    for (let left = length; left > 0;) {
      const bytes = Buffer.from(await source.need(left));
      left -= bytes.length;
      yield bytes;
    }
  }
  if ((flags & 0x04) !== 0) yield Buffer.from(await source.needAll(4));
}
