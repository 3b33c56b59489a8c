import type { Readable } from "node:stream";
import type { CallOptions, Host } from "@silkvm/core";
import { SequentialWriter } from "./sequential-writer.ts";

/** Writes a stream into a new file: what it is, is found out by looking at it more than once. */
export async function spool(
  host: Host,
  stream: Readable,
  path: string,
  { signal }: CallOptions,
): Promise<string> {
  await using file = await host.files.open(path, "create");
  const writer = new SequentialWriter(file);
  const abort = (): void => {
    stream.destroy(signal?.reason as Error);
  };
  signal?.addEventListener("abort", abort, { once: true });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) await writer.write(chunk);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  await writer.finish();
  return path;
}
