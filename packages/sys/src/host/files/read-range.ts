import { open } from "node:fs/promises";

/** At most `length` bytes from `offset`; fewer, or none, at the file's end. */
export async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  await using file = await open(path, "r");
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
