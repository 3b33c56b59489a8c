import { pipeline, Readable } from "node:stream";
import type * as Zlib from "node:zlib";
import { toSilkError } from "@silkvm/core";
import { archiveInvalid } from "./archive-invalid.ts";

const chunkSize = 256 * 1024;

/**
 * The bytes of an archive, uncompressed where its first bytes say that it is gzip (any number of members, one after the other) or zstd (one frame, as
 * the `zstd` program makes it).
 */
export async function* decompressed(input: Readable): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = input[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let isWhole = false;
  try {
    while (head.length < 4 && !isWhole) {
      const { done, value } = await chunks.next();
      if (done === true) isWhole = true;
      else head = Buffer.concat([head, value]);
    }
    yield* through(decoderOf(head), head, chunks);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === "string" && /^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD|ERR__ERROR)/.test(code))
      throw archiveInvalid(`it cannot be decompressed (${(error as Error).message})`, error);
    throw toSilkError(error, "cannot read the archive");
  } finally {
    await chunks.return?.();
  }
}

function decoderOf(head: Buffer): Zlib.Gunzip | Zlib.ZstdDecompress | undefined {
  const { createGunzip, createZstdDecompress } = process.getBuiltinModule("node:zlib");
  if (head[0] === 0x1f && head[1] === 0x8b) return createGunzip({ chunkSize });
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528)
    return createZstdDecompress({ chunkSize });
  return undefined;
}

async function* through(
  decoder: ReturnType<typeof decoderOf>,
  head: Buffer,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const rest = { [Symbol.asyncIterator]: () => chunks };
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield head;
    yield* rest;
  }
  if (decoder === undefined) {
    yield* whole();
    return;
  }
  // What fails in front of it ends the decoder with the same error, which is thrown from there.
  yield* pipeline(Readable.from(whole()), decoder, () => undefined) as AsyncIterable<Uint8Array>;
}
