import type { CallOptions, Host } from "@silkvm/core";

const chunkBytes = 1024 ** 2;

/** The bytes of a file from a position up to its end, or up to another position. No symlink is followed. */
export async function* readFile(
  host: Host,
  path: string,
  {
    start = 0,
    end = Number.MAX_SAFE_INTEGER,
    signal,
  }: CallOptions & { readonly start?: number; readonly end?: number } = {},
): AsyncGenerator<Buffer> {
  await using file = await host.files.open(path, "read");
  for (let position = start; position < end;) {
    signal?.throwIfAborted();
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, end - position));
    const length = await file.read(chunk, position);
    if (length === 0) return;
    yield chunk.subarray(0, length);
    position += length;
  }
}
