import type { CallOptions, HostFile } from "@silkvm/core";
import { chunkBytes } from "./zeros.ts";

/** A chunk of a file. */
export interface FileChunk {
  readonly position: number;
  readonly length: number;
  /** Undefined where it lies in a hole. Good until the next chunk is asked for. */
  readonly bytes: Buffer | undefined;
}

/**
 * A file from its start to its end by chunks of 1 MiB that begin at whole MiB; holes come as one piece, however long. While the caller works on
 * one chunk the next one is read.
 * @param sizeBytes where to end: what a file that was cut short lacks is a hole
 */
export async function* readChunks(
  file: HostFile,
  sizeBytes: number,
  { signal }: CallOptions = {},
): AsyncGenerator<FileChunk> {
  const buffers = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)] as const;
  let turn: 0 | 1 = 0;
  let stretch: { readonly start: number; readonly end: number } | undefined = {
    start: 0,
    end: 0,
  };
  const read = async (position: number): Promise<FileChunk | undefined> => {
    if (position >= sizeBytes) return undefined;
    if (stretch !== undefined && stretch.end <= position) stretch = await file.nextData(position);
    const dataStart = Math.min(stretch?.start ?? sizeBytes, sizeBytes);
    const holeEnd = dataStart === sizeBytes ? sizeBytes : dataStart - (dataStart % chunkBytes);
    if (holeEnd > position) return { position, length: holeEnd - position, bytes: undefined };
    const length = Math.min(chunkBytes, sizeBytes - position);
    const bytes = buffers[turn].subarray(0, length);
    turn = turn === 0 ? 1 : 0;
    const filled = await file.read(bytes, position);
    bytes.fill(0, filled);
    return { position, length, bytes };
  };
  let next = read(0);
  // Whoever stops early leaves a read behind, which must have ended before the file is closed, and whose failure is of no interest.
  try {
    for (;;) {
      signal?.throwIfAborted();
      const chunk = await next;
      if (chunk === undefined) return;
      next = read(chunk.position + chunk.length);
      next.catch(() => undefined);
      yield chunk;
    }
  } finally {
    await next.catch(() => undefined);
  }
}
