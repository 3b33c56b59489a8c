import { type CallOptions, isSilkError } from "@silkvm/core";
import { collectGarbage, planGarbage } from "./gc.ts";
import type { ImagesContext } from "./images-context.ts";
import type { RemoveKernelResult, RemoveResult } from "./images-options.ts";
import { findKernel } from "./kit/kernels.ts";
import { isKnownName } from "./names.ts";
import { findImage } from "./store/find-image.ts";
import type { ImageStore } from "./store/image-store.ts";

/** Takes names of an image away, and removes what nothing else needs then. */
export async function removeImage(
  context: ImagesContext,
  name: string,
  options: CallOptions,
): Promise<RemoveResult> {
  const store = await context.store.writable();
  const image = findImage(store, name);
  const isByDigest = !isKnownName(name, image);
  const refs = isByDigest ? store.findByDigest(image.digest).map(({ ref }) => ref) : [image.ref];
  store.remove(refs);
  return { image, refs, ...(await free(context, store, image.blobIds, options)) };
}

/** Removes a kernel that was imported. */
export async function removeKernel(
  context: ImagesContext,
  name: string,
  options: CallOptions,
): Promise<RemoveKernelResult> {
  const store = await context.store.writable();
  const kernel = findKernel(store, name);
  store.removeKernel(name);
  return { kernel, ...(await free(context, store, kernel.blobIds, options)) };
}

/** Removes those of some blobs that nothing needs. */
async function free(
  { host, blobs, references }: ImagesContext,
  store: ImageStore,
  blobIds: readonly string[],
  options: CallOptions,
): Promise<Pick<RemoveResult, "freed" | "kept">> {
  const only = new Set(blobIds);
  // Whoever pulls just now may be about to need it: gc removes it later.
  const freed = await collectGarbage(host, blobs, store, references, {
    ...options,
    waitMs: 0,
    only,
  }).catch((error: unknown) => {
    if (isSilkError(error) && error.code === "IMAGES_BUSY") return [];
    throw error;
  });
  const { kept } = await planGarbage(host, blobs, store, await references());
  return { freed, kept: kept.filter(({ blobId }) => only.has(blobId)) };
}
