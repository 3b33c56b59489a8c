import { familiarName } from "./reference.ts";
import type { Blobs } from "./store/blobs.ts";
import type { ImageRecord, ImageRunConfig } from "./store/image-record.ts";

/** What a VM of an image is made of. */
export interface VmImage {
  /** For `VmConfig.image`. */
  readonly name: string;
  /** For `VmConfig.imageDigest`. */
  readonly digest: string;
  /** For `VmConfig.imageType`: a container's image is `oci`, too. */
  readonly imageType: "oci" | "cloudimg";
  readonly record: ImageRecord;
  /** For `VmRecord.imageBlobIds`. */
  readonly imageBlobIds: readonly string[];
  /** Read-only disks, the lowest layer first, with the serials that published images know. */
  readonly layers: readonly { readonly path: string; readonly serial: string }[];
  /** Of a VM's image. */
  readonly kernelPath?: string | undefined;
  readonly initrdPath?: string | undefined;
  /** Of a cloud image: the disk that a VM's own one begins as. Never written to. */
  readonly disk?:
    | { readonly path: string; readonly format: "raw"; readonly virtualSizeBytes: number }
    | undefined;
  readonly run?: ImageRunConfig | undefined;
}

export function vmImage(record: ImageRecord, blobs: Blobs): VmImage {
  const { kernel, initrd, disk, run } = record;
  const isVm = record.type === "oci-vm";
  return {
    name: familiarName(record.ref),
    digest: record.digest,
    imageType: record.type === "cloudimg" ? "cloudimg" : "oci",
    record,
    imageBlobIds: record.blobIds,
    layers: record.layers.map(({ blobId }, index) => ({
      path: blobs.path(blobId),
      serial: `cocoon-layer${index}`,
    })),
    ...(isVm && kernel !== undefined ? { kernelPath: blobs.path(kernel.blobId) } : {}),
    ...(isVm && initrd !== undefined ? { initrdPath: blobs.path(initrd.blobId) } : {}),
    ...(disk === undefined
      ? {}
      : {
          disk: {
            path: blobs.path(disk.blobId),
            format: disk.format,
            virtualSizeBytes: disk.virtualSizeBytes,
          },
        }),
    ...(run === undefined ? {} : { run }),
  };
}
