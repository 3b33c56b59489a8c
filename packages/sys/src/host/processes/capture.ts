import type { Readable } from "node:stream";

const longestBytes = 16 * 2 ** 20;

/**
 * Collects what a stream gives, up to 16 MiB; calls `overflow` where there is more.
 * @returns a function that gives what has come so far, as UTF-8 text
 */
export function capture(stream: Readable | null, overflow: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > longestBytes) overflow();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
