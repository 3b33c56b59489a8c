export { checkExt4Tool, formatExt4, spaceForExt4 } from "./ext4.ts";
export { type ImageHeader, readImageHeader } from "./image-header.ts";
export { createQcow2Overlay, imageInfo, type ImageInfo } from "./qcow2.ts";
export { createRawDisk, type RawDiskRequest } from "./raw-disk.ts";
export { checkSpace } from "./space.ts";
