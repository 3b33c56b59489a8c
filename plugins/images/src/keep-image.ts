import type { CallOptions } from "@silkvm/core";
import type { DiskContext } from "./cloudimg/pull-disk.ts";
import type { ImagesContext } from "./images-context.ts";
import type { ImportOptions, PullResult } from "./images-options.ts";
import type { ImageContents } from "./oci/contents.ts";
import { convertLayers } from "./oci/convert-layers.ts";
import { makeRecord } from "./oci/make-record.ts";
import type { ImageProgress } from "./progress.ts";
import { familiarName } from "./reference.ts";
import type { ImageRecord } from "./store/image-record.ts";

/** The largest file that is downloaded, where its size is not known before. */
const downloadBytes = 1024 ** 4;

interface KeepOptions extends CallOptions {
  readonly onProgress?: ((progress: ImageProgress) => void) | undefined;
}

/**
 * Makes an image's layers blobs, and writes down that it is here.
 * @param named.source where it is from
 */
export async function keepLayers(
  { host, blobs, store: access, limits, architecture }: ImagesContext,
  contents: ImageContents,
  named: { readonly ref: string; readonly source: string },
  { signal, onProgress }: KeepOptions,
): Promise<PullResult> {
  const store = await access.writable();
  const known = store.find(named.ref);
  if (known?.digest === contents.digest && (await blobs.hasAll(known.blobIds)))
    return { image: known, changed: false };
  const converted = await convertLayers(
    {
      host,
      blobs,
      store,
      limits,
      signal,
      onProgress: (progress) => onProgress?.(progress),
    },
    contents,
  );
  const record = await makeRecord(host, blobs, contents, converted, { ...named, architecture });
  signal?.throwIfAborted();
  store.put(record);
  onProgress?.({ phase: "done", item: familiarName(named.ref) });
  return { image: record, changed: true };
}

/** Writes down that a disk is here. */
export async function keepDisk(
  { store: access }: ImagesContext,
  record: ImageRecord,
  { signal, onProgress }: KeepOptions,
): Promise<PullResult> {
  const store = await access.writable();
  signal?.throwIfAborted();
  const before = store.find(record.ref);
  store.put(record);
  onProgress?.({ phase: "done", item: familiarName(record.ref) });
  return { image: record, changed: before?.digest !== record.digest };
}

/** What a disk is got, and made, with. */
export function diskContext(
  { host, http, blobs, limits, architecture, logger }: ImagesContext,
  options: ImportOptions,
): DiskContext {
  return {
    host,
    http,
    blobs,
    unpackedBytes: limits.unpackedBytes,
    downloadBytes,
    architecture,
    signal: options.signal,
    onProgress: (progress) => options.onProgress?.(progress),
    warn: options.onWarning ?? ((message) => logger.warn(message)),
  };
}
