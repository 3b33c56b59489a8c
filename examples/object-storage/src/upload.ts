import type { Readable } from "node:stream";
import { type Bucket, callBucket } from "./bucket.ts";

export interface UploadOptions {
  readonly signal: AbortSignal;
  /** S3 takes parts of 5 MiB to 5 GiB, and 10,000 of them: 64 MiB do for 640 GB. */
  readonly partBytes?: number;
}

/** How long the store may take to forget an upload that is given up. */
const forgetMs = 10_000;

/**
 * Uploads a stream of any length, part by part. One part is in memory at a time, and the stream is not read while it is sent: whoever makes the stream works
 * as fast as the network takes it. An upload that fails or is aborted leaves no parts behind, for which a store would charge.
 */
export async function upload(
  bucket: Bucket,
  key: string,
  stream: Readable,
  { signal, partBytes = 64 * 1024 ** 2 }: UploadOptions,
): Promise<void> {
  const call = async (
    method: "POST" | "PUT",
    query: Record<string, string>,
    body?: Uint8Array<ArrayBuffer> | string,
  ): Promise<Response> =>
    callBucket(bucket, { method, key, query, signal, ...(body !== undefined && { body }) });

  const begun = await (await call("POST", { uploads: "" })).text();
  const uploadId = textOf(begun, "UploadId");
  try {
    const tags: string[] = [];
    for await (const part of inParts(stream, partBytes)) {
      const answer = await call("PUT", { partNumber: String(tags.length + 1), uploadId }, part);
      tags.push(answer.headers.get("etag") ?? "");
    }
    const parts = tags.map(
      (tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`,
    );
    const list = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const done = await (await call("POST", { uploadId }, list)).text();
    // The store may find out that it cannot put the parts together after it has answered 200.
    if (done.includes("<Error>")) throw new Error(`${key} was not completed: ${done}`);
  } catch (error) {
    // The caller's signal may have aborted: this has a deadline of its own. The first failure is the one to tell.
    const forget = { method: "DELETE", key, query: { uploadId } } as const;
    await callBucket(bucket, { ...forget, signal: AbortSignal.timeout(forgetMs) }).catch(() => {});
    throw error;
  } finally {
    // A stream that was not read to its end lets go of the snapshot.
    stream.destroy();
  }
}

/** A stream in pieces of one size, the last one shorter; at least one. */
async function* inParts(
  stream: Readable,
  partBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let part = new Uint8Array(partBytes);
  let filled = 0;
  let any = false;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    for (let from = 0; from < chunk.length;) {
      const piece = chunk.subarray(from, from + partBytes - filled);
      part.set(piece, filled);
      from += piece.length;
      filled += piece.length;
      if (filled < partBytes) continue;
      yield part;
      any = true;
      part = new Uint8Array(partBytes);
      filled = 0;
    }
  }
  if (filled > 0 || !any) yield part.subarray(0, filled);
}

function textOf(xml: string, element: string): string {
  const text = new RegExp(`<${element}>([^<]+)</${element}>`).exec(xml)?.[1];
  if (text === undefined) throw new Error(`the store's answer has no ${element}: ${xml}`);
  return text;
}
