import type { HostFile } from "@silkvm/core";
import { ChunkHasher } from "../digest/chunk-hasher.ts";
import { chunkBytes, pageRuns, type Stretch } from "../digest/zeros.ts";

/** Zeros in less than that are written: they would cost more as a hole of their own. */
const smallestHoleBytes = 64 * 1024;

/**
 * Writes a new file from its start to its end, leaves holes where it is zeros, and makes its digest. While a chunk is being written the next one
 * is hashed and filled.
 */
export class SparseFileWriter {
  readonly #file: HostFile;
  readonly #hasher = new ChunkHasher();
  #buffer = Buffer.allocUnsafeSlow(chunkBytes);
  #otherBuffer = Buffer.allocUnsafeSlow(chunkBytes);
  /** Where the chunk in the buffer begins in the file, and how much of it there is. */
  #position = 0;
  #filled = 0;
  #hasData = false;
  #writing: Promise<void> = Promise.resolve();

  /** @param file empty, and of its final size */
  constructor(file: HostFile) {
    this.#file = file;
  }

  /** The next bytes. They are copied. */
  async data(bytes: Buffer): Promise<void> {
    for (let taken = 0; taken < bytes.length;) {
      const length = bytes.copy(this.#buffer, this.#filled, taken);
      this.#hasData = true;
      taken += length;
      this.#filled += length;
      if (this.#filled === chunkBytes) await this.#flush();
    }
  }

  /** The next bytes are so many zeros. */
  async hole(count: number): Promise<void> {
    let left = count;
    if (this.#filled > 0) left -= await this.#fill(Math.min(chunkBytes - this.#filled, left));
    const whole = left - (left % chunkBytes);
    if (whole > 0) {
      this.#hasher.zeros(whole);
      this.#position += whole;
      left -= whole;
    }
    await this.#fill(left);
  }

  /** Waits until all of it is written, and on the disk. @returns the digest */
  async finish(): Promise<string> {
    if (this.#filled > 0) await this.#flush();
    await this.#writing;
    await this.#file.sync();
    return this.#hasher.digest();
  }

  /** Waits until nothing is being written any more, well or ill. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  async #fill(count: number): Promise<number> {
    this.#buffer.fill(0, this.#filled, this.#filled + count);
    this.#filled += count;
    if (this.#filled === chunkBytes) await this.#flush();
    return count;
  }

  async #flush(): Promise<void> {
    const chunk = this.#buffer.subarray(0, this.#filled);
    const before = this.#writing;
    if (this.#hasData) {
      this.#writing = this.#write(chunk, this.#position, before);
      // It is awaited when the buffer is needed again.
      this.#writing.catch(() => undefined);
      this.#hasher.update(chunk);
    } else {
      this.#hasher.zeros(chunk.length);
    }
    this.#position += chunk.length;
    this.#filled = 0;
    this.#hasData = false;
    [this.#buffer, this.#otherBuffer] = [this.#otherBuffer, this.#buffer];
    await before;
  }

  async #write(chunk: Buffer, position: number, before: Promise<void>): Promise<void> {
    const writes = [...wideRuns(chunk)].map(({ start, end }) =>
      this.#file.write(chunk.subarray(start, end), position + start),
    );
    await Promise.all([before, ...writes]);
  }
}

/** Stretches of data, short stretches of zeros between them included. */
function* wideRuns(chunk: Buffer): Generator<Stretch> {
  let wide: Stretch | undefined;
  for (const run of pageRuns(chunk, "data")) {
    if (wide !== undefined && run.start - wide.end >= smallestHoleBytes) {
      yield wide;
      wide = run;
    } else {
      wide = { start: wide?.start ?? run.start, end: run.end };
    }
  }
  if (wide !== undefined) yield wide;
}
