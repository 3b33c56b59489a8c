import { Readable } from "node:stream";
import type { Engine, SnapshotView } from "@silkvm/core";
import { exportSnapshot, importSnapshot } from "@silkvm/storage";
import { type Bucket, callBucket } from "./bucket.ts";
import { upload, type UploadOptions } from "./upload.ts";

/** Where a snapshot is kept. */
export interface Shelf {
  readonly bucket: Bucket;
  readonly key: string;
}

/** Streams a snapshot to a bucket: nothing is written to this host's disks, and the VM that it is of runs on. */
export async function saveTo(
  { bucket, key }: Shelf,
  engine: Engine,
  ref: string,
  options: UploadOptions,
): Promise<void> {
  const { signal } = options;
  const archive = await exportSnapshot(engine, ref, { compression: "zstd", signal });
  await upload(bucket, key, archive, options);
}

/** Takes a snapshot in from a bucket. It is there when all of it has come and every file is the one that was sent; until then nothing is seen of it. */
export async function loadFrom(
  { bucket, key }: Shelf,
  engine: Engine,
  name: string,
  { signal }: UploadOptions,
): Promise<SnapshotView> {
  const { body } = await callBucket(bucket, { method: "GET", key, signal });
  if (body === null) throw new Error(`${key} is empty`);
  return await importSnapshot(engine, Readable.fromWeb(body), { name, signal });
}
