import type { HostFile } from "@silkvm/core";

const bufferBytes = 1024 ** 2;
const zeros = Buffer.alloc(bufferBytes);

/** Writes a new file from its start to its end, in large pieces; pieces that are all zeros become holes. */
export class SequentialWriter {
  readonly #file: HostFile;
  #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #filled = 0;
  #flushed = 0;

  /** @param start where the file ends that is to be continued */
  constructor(file: HostFile, start = 0) {
    this.#file = file;
    this.#flushed = start;
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#flushed + this.#filled;
  }

  /** The next bytes. They are copied. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length;) {
      const part = bytes.subarray(taken, taken + bufferBytes - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === bufferBytes) await this.flush();
    }
  }

  /** The next bytes are so many zeros. */
  async zeros(count: number): Promise<void> {
    const short = Math.min(count, bufferBytes - this.#filled);
    await this.write(zeros.subarray(0, short));
    let left = count - short;
    const whole = left - (left % bufferBytes);
    this.#flushed += whole;
    left -= whole;
    await this.write(zeros.subarray(0, left));
  }

  /** Writes what has been collected. */
  async flush(): Promise<void> {
    if (this.#filled === 0) return;
    const bytes = this.#buffer.subarray(0, this.#filled);
    if (bytes.compare(zeros, 0, bytes.length) !== 0) await this.#file.write(bytes, this.#flushed);
    this.#flushed += this.#filled;
    this.#filled = 0;
  }

  /** Writes the rest, and gives the file its size. What is to outlive a power failure is synced by whoever gives it its name. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#file.truncate(this.#flushed);
  }
}
