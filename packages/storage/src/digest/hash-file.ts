import type { CallOptions, Host } from "@silkvm/core";
import { ChunkHasher } from "./chunk-hasher.ts";
import { readChunks } from "./read-chunks.ts";

/** What a file is made of, apart from its name. */
export interface FileDigest {
  readonly sizeBytes: number;
  /** See {@link ChunkHasher}. */
  readonly chunksSha256: string;
}

/**
 * The size and the digest of a file, in constant memory; holes are not read. No symlink is followed.
 * @throws Node's errors of opening and reading
 */
export async function hashFile(
  host: Host,
  path: string,
  options: CallOptions = {},
): Promise<FileDigest> {
  await using file = await host.files.open(path, "read");
  const { sizeBytes } = await file.stat();
  const hasher = new ChunkHasher();
  for await (const { length, bytes } of readChunks(file, sizeBytes, options)) {
    if (bytes === undefined) hasher.zeros(length);
    else hasher.update(bytes);
  }
  return { sizeBytes, chunksSha256: hasher.digest() };
}
