import { archiveInvalid } from "./archive-invalid.ts";

const empty = Buffer.alloc(0);

/** Bytes of a stream, taken by those who know how many they want. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** What has come and is not taken yet. */
  #rest: Buffer = empty;

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.#chunks = chunks;
  }

  /** Some bytes, at least one and at most so many; undefined at the end. They are not copied. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  /** Exactly so many bytes; undefined where it ended before the first of them. @throws SilkError `ARCHIVE_INVALID` where it ended among them */
  async take(count: number): Promise<Buffer | undefined> {
    const first = await this.some(count);
    if (first === undefined || first.length === count) return first;
    const whole = Buffer.allocUnsafe(count);
    let filled = first.copy(whole);
    while (filled < count) filled += (await this.need(count - filled)).copy(whole, filled);
    return whole;
  }

  /** As {@link some}, where more must come. */
  async need(most: number): Promise<Buffer> {
    const bytes = await this.some(most);
    if (bytes === undefined) throw archiveInvalid("it ends too soon");
    return bytes;
  }

  /** As {@link take}, where more must come. */
  async needAll(count: number): Promise<Buffer> {
    if (count === 0) return empty;
    const bytes = await this.take(count);
    if (bytes === undefined) throw archiveInvalid("it ends too soon");
    return bytes;
  }
}
