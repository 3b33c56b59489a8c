import { archiveInvalid } from "./archive-invalid.ts";

/** More than a file has whose pages are a hole and data by turns, up to 16 GiB. */
const mostPieces = 2 ** 21;

/**
 * Which stretches of a file an archive has: the rest is holes. Two numbers a piece and no objects, because there may be millions.
 * Pieces are told in the order of the file, none of them over another one or beyond the file's end.
 */
export class SparseMap {
  readonly #numbers: number[] = [];
  readonly #sizeBytes: number;
  /** Sum of the pieces' lengths. */
  dataBytes = 0;
  #end = 0;

  /** @param sizeBytes the file's, holes included */
  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** @throws SilkError `ARCHIVE_INVALID` */
  add(start: number, length: number): void {
    const isPossible =
      Number.isSafeInteger(start) &&
      Number.isSafeInteger(length) &&
      length >= 0 &&
      start >= this.#end &&
      start + length <= this.#sizeBytes;
    if (!isPossible)
      throw archiveInvalid(
        "a list of the data of a sparse file in it has a piece that is out of order or beyond the file's end",
      );
    if (this.#numbers.length >= mostPieces * 2)
      throw archiveInvalid("a sparse file in it is in too many pieces");
    this.#end = start + length;
    this.dataBytes += length;
    if (length > 0) this.#numbers.push(start, length);
  }

  *pieces(): Generator<{ readonly start: number; readonly length: number }> {
    for (let index = 0; index < this.#numbers.length; index += 2)
      yield { start: this.#numbers[index] ?? 0, length: this.#numbers[index + 1] ?? 0 };
  }
}
