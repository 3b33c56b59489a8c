import type * as Crypto from "node:crypto";
import { chunkBytes, isZero, zeros } from "./zeros.ts";

const digestBytes = 32;
const zeroChunksAtOnce = 1024;

/** Node's crypto module takes 5 ms to load, which whoever hashes nothing does not need. */
const crypto = (): typeof Crypto => process.getBuiltinModule("node:crypto");

let zeroChunkDigests: Buffer | undefined;

/** The digests of many chunks of zeros, one after the other. */
function digestsOfZeroChunks(): Buffer {
  zeroChunkDigests ??= Buffer.alloc(
    zeroChunksAtOnce * digestBytes,
    crypto().hash("sha256", zeros, "buffer"),
  );
  return zeroChunkDigests;
}

/**
 * The digest of a file as a snapshot's manifest has it, made as the file goes by: the SHA-256 of the SHA-256 digests of its chunks of 1 MiB,
 * the last one shorter. Chunks of zeros are not hashed, so that a hole costs next to nothing. An empty file has the SHA-256 of nothing.
 * Fastest where whole chunks are given to it.
 */
export class ChunkHasher {
  readonly #whole: Crypto.Hash = crypto().createHash("sha256");
  /** Of the chunk that has begun, once something in it is not zero. */
  #chunk: Crypto.Hash | undefined;
  /** Bytes of the chunk that has begun. */
  #filled = 0;
  #sizeBytes = 0;

  /** Bytes so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The next bytes of the file. */
  update(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#sizeBytes += buffer.length;
    for (let position = 0; position < buffer.length;) {
      const length = Math.min(chunkBytes - this.#filled, buffer.length - position);
      this.#part(buffer.subarray(position, position + length));
      position += length;
    }
  }

  /** The next bytes of the file are so many zeros. */
  zeros(count: number): void {
    this.#sizeBytes += count;
    let left = count;
    if (this.#filled > 0) {
      const length = Math.min(chunkBytes - this.#filled, left);
      this.#part(zeros.subarray(0, length));
      left -= length;
    }
    for (let chunks = Math.floor(left / chunkBytes); chunks > 0;) {
      const some = Math.min(chunks, zeroChunksAtOnce);
      this.#whole.update(digestsOfZeroChunks().subarray(0, some * digestBytes));
      chunks -= some;
    }
    const rest = left % chunkBytes;
    if (rest > 0) this.#part(zeros.subarray(0, rest));
  }

  /** The digest, in lower-case hex. Nothing can be added any more. */
  digest(): string {
    if (this.#filled > 0) this.#endChunk();
    return this.#whole.digest("hex");
  }

  /** A part of one chunk. */
  #part(bytes: Buffer): void {
    if (bytes.length === chunkBytes) {
      const digest = isZero(bytes)
        ? digestsOfZeroChunks().subarray(0, digestBytes)
        : crypto().hash("sha256", bytes, "buffer");
      this.#whole.update(digest);
      return;
    }
    if (this.#chunk === undefined && !isZero(bytes))
      this.#chunk = crypto().createHash("sha256").update(zeros.subarray(0, this.#filled));
    this.#chunk?.update(bytes);
    this.#filled += bytes.length;
    if (this.#filled === chunkBytes) this.#endChunk();
  }

  #endChunk(): void {
    const digest =
      this.#chunk?.digest() ?? crypto().hash("sha256", zeros.subarray(0, this.#filled), "buffer");
    this.#whole.update(digest);
    this.#chunk = undefined;
    this.#filled = 0;
  }
}
