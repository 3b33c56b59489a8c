/** What is read, hashed and written at a time, and the unit of a file's digest: 1 MiB. */
export const chunkBytes: number = 1024 ** 2;

/** The unit of memory, and the smallest hole that file systems make. */
export const pageBytes = 4096;

/** A chunk of zeros. Never written to. */
export const zeros: Buffer = Buffer.alloc(chunkBytes);

/** Whether a stretch of at most a chunk is all zeros. */
export function isZero(bytes: Buffer, start = 0, end = bytes.length): boolean {
  return bytes.compare(zeros, 0, end - start, start, end) === 0;
}

/** A stretch of bytes: from `start` up to, and without, `end`. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/**
 * The stretches of a chunk that are zeros, or those that are not, by whole pages counted from the chunk's start. The last page may be short.
 */
export function* pageRuns(chunk: Buffer, wanted: "zero" | "data"): Generator<Stretch> {
  let start: number | undefined;
  for (let page = 0; page < chunk.length; page += pageBytes) {
    const end = Math.min(page + pageBytes, chunk.length);
    if (isZero(chunk, page, end) === (wanted === "zero")) {
      start ??= page;
    } else if (start !== undefined) {
      yield { start, end: page };
      start = undefined;
    }
  }
  if (start !== undefined) yield { start, end: chunk.length };
}
