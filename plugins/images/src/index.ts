export { Images, openImages } from "./images.ts";
export type {
  BlobSize,
  ImagesOptions,
  ImportOptions,
  KitOptions,
  PullOptions,
  PullResult,
  RemoveKernelResult,
  RemoveResult,
} from "./images-options.ts";
export type { GarbagePlan, ImageGarbage, KeptBlob } from "./gc.ts";
export type { HttpSettings } from "./http/http.ts";
export { containerRun } from "./kit/container-run.ts";
export {
  attachContainer,
  type AttachContainerOptions,
  type ContainerAttachment,
} from "./attach/attach-container.ts";
export { readExitStatus } from "./kit/exit-status.ts";
export type { KernelPlaces } from "./kit/host-kernels.ts";
export type { ImportKernelOptions } from "./kit/import-kernel.ts";
export type { BootKit, KernelInfo, KernelRecord } from "./kit/kernel-record.ts";
export { runDiskContent } from "./kit/run-disk.ts";
export type { LayerLimits } from "./layers/layer-limits.ts";
export type { ImageProgress } from "./progress.ts";
export { familiarName, parseReference, type Reference } from "./reference.ts";
export type { ImageLayer, ImageRecord, ImageRunConfig } from "./store/image-record.ts";
export { imageSource } from "./source.ts";
export { default } from "./plugin.ts";
export {
  largestUserDataBytes,
  type SeedFiles,
  seedFiles,
  type SeedRequest,
} from "./cidata/seed.ts";
export { cidataImage, writeCidata } from "./cidata/write-cidata.ts";
