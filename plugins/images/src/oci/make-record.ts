import type { Host } from "@silkvm/core";
import { findBoot } from "../layers/find-boot.ts";
import type { Blobs } from "../store/blobs.ts";
import type { ImageRecord, ImageRunConfig } from "../store/image-record.ts";
import type { ImageContents } from "./contents.ts";
import type { ConvertedLayers } from "./convert-layers.ts";
import type { ImageConfig } from "./manifest.ts";

/** What is remembered of an image whose layers are blobs. One with a kernel and an initrd is a VM's, any other a container's. */
export async function makeRecord(
  host: Host,
  blobs: Blobs,
  contents: ImageContents,
  converted: ConvertedLayers,
  named: { readonly ref: string; readonly source: string; readonly architecture: string },
): Promise<ImageRecord> {
  const { kernel, initrd } = findBoot(converted.root);
  const layerIds = converted.layers.map(({ blobId }) => blobId);
  const blobIds = [...new Set([...layerIds, ...converted.bootBlobIds])];
  let sizeBytes = 0;
  for (const id of blobIds) sizeBytes += (await blobs.sizeOf(id)) ?? 0;
  const { created } = contents.config;
  return {
    ...named,
    digest: contents.digest,
    type: kernel !== undefined && initrd !== undefined ? "oci-vm" : "oci-container",
    sizeBytes,
    pulledAt: new Date(host.clock.now()).toISOString(),
    ...(typeof created === "string" ? { createdAt: created } : {}),
    layers: converted.layers,
    run: runConfig(contents.config),
    ...(kernel === undefined ? {} : { kernel: { blobId: kernel.blobId, path: `/${kernel.path}` } }),
    ...(initrd === undefined ? {} : { initrd: { blobId: initrd.blobId, path: `/${initrd.path}` } }),
    blobIds,
  };
}

function runConfig({ config }: ImageConfig): ImageRunConfig {
  return {
    entrypoint: config?.Entrypoint ?? [],
    cmd: config?.Cmd ?? [],
    env: config?.Env ?? [],
    user: config?.User ?? "",
    workingDir: config?.WorkingDir ?? "",
    ...(typeof config?.StopSignal === "string" ? { stopSignal: config.StopSignal } : {}),
    labels: config?.Labels ?? {},
  };
}
