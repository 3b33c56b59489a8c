import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";

/** A stretch of data of a file that is a hole elsewhere. */
export interface Piece {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** Writes a file of holes with some data in it. */
export function writeSparse(path: string, sizeBytes: number, pieces: readonly Piece[]): void {
  const fd = openSync(path, "w", 0o600);
  ftruncateSync(fd, sizeBytes);
  for (const { position, bytes } of pieces) writeSync(fd, bytes, 0, bytes.length, position);
  closeSync(fd);
}

/** So many bytes that are none of them zero. */
export function dense(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed * 2_654_435_761) >>> 0;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = (state >>> 24) | 1;
  }
  return bytes;
}
