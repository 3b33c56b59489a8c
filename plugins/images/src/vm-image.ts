import type { VmImage } from "@silkvm/core";
import { layerSerialPrefix } from "@silkvm/core";
import { familiarName } from "./reference.ts";
import type { Blobs } from "./store/blobs.ts";
import type { ImageRecord } from "./store/image-record.ts";

/** What a VM is made of by an image alone: a container's image has no kernel, and does not say what exactly is run. */
export function vmImage(record: ImageRecord, blobs: Blobs): VmImage {
  const { kernel, initrd, disk, type } = record;
  const isVm = type === "oci-vm";
  return {
    name: familiarName(record.ref),
    digest: record.digest,
    type,
    blobIds: record.blobIds,
    layers: record.layers.map(({ blobId }, index) => ({
      path: blobs.path(blobId),
      serial: `${layerSerialPrefix}${index}`,
    })),
    ...(isVm && kernel !== undefined ? { kernelPath: blobs.path(kernel.blobId) } : {}),
    ...(isVm && initrd !== undefined ? { initrdPath: blobs.path(initrd.blobId) } : {}),
    ...(disk === undefined
      ? {}
      : { disk: { path: blobs.path(disk.blobId), virtualSizeBytes: disk.virtualSizeBytes } }),
  };
}
