export { exportSnapshot, type ExportOptions } from "./archive/export-snapshot.ts";
export { exportSnapshotTo } from "./archive/export-snapshot-to.ts";
export { importSnapshot, type ImportOptions, unpackSnapshot } from "./archive/import-snapshot.ts";
export { ChunkHasher } from "./digest/chunk-hasher.ts";
export { type FileDigest, hashFile } from "./digest/hash-file.ts";
export {
  type DiskData,
  diskDevices,
  diskKind,
  type DiskRequest,
  hotDisk,
} from "./disk-device/disk-kind.ts";
export { checkExt4Tool, formatExt4, spaceForExt4 } from "./ext4.ts";
export { type ImageHeader, readImageHeader } from "./image-header.ts";
export { linkOrCopy } from "./link-or-copy.ts";
export { createQcow2Overlay, imageInfo, type ImageInfo } from "./qcow2.ts";
export { createRawDisk, type RawDiskRequest } from "./raw-disk.ts";
export { reserveSpace, type SpaceReservation } from "./reserve-space.ts";
export { sealDirectory } from "./seal/seal-directory.ts";
export { sealFile, type SealOptions } from "./seal/seal-file.ts";
export { verifyExternals } from "./seal/verify-externals.ts";
export { verifyFiles, type VerifyOptions } from "./seal/verify-files.ts";
export { checkSpace, diskFull } from "./space.ts";
export { ByteSource } from "./tar/byte-source.ts";
export { blockBytes, paddingOf, parseHeader, readNumber, type TarHeader } from "./tar/header.ts";
export { type PaxRecords, paxValue, parsePax } from "./tar/pax.ts";
export { packFiles, type PackOptions } from "./tar/pack-files.ts";
export {
  type ArchiveProgress,
  type UnpackedFile,
  unpackFiles,
  type UnpackOptions,
  type UnpackRule,
} from "./tar/unpack-files.ts";
export { readSparse, type SparseEntry } from "./tar/sparse-formats.ts";
export { SparseMap } from "./tar/sparse-map.ts";
export { checkTool, runTool, type Tool } from "./tool.ts";
export { planVm } from "./vm-disks/plan-vm.ts";
export { preparation } from "./vm-disks/preparation.ts";
export { makeDisks } from "./vm-disks/make-disks.ts";
export { type DiskToMake, disksToMake, EXIT_SERIAL, RUN_SERIAL } from "./vm-disks/planned-disks.ts";
export { checkVmFiles } from "./vm-disks/check-vm-files.ts";
export { isNamedQcow2 } from "./vm-disks/named-qcow2.ts";
export { checkArch, checkOverlays } from "./vm-snapshots/check-overlays.ts";
export { cloneDisks, diskCopies } from "./vm-snapshots/clone-disks.ts";
export { copyDisks, type DiskCopy } from "./vm-snapshots/copy-disks.ts";
export { commitSwap, exchange, finishSwap } from "./vm-snapshots/finish-swap.ts";
export { type MatchedDisk, matchDisks } from "./vm-snapshots/match-disks.ts";
export { diskFileNames, stagedDir, type VmPlaces } from "./vm-snapshots/names.ts";
export { type GuestSaver, saveVm, type VmToSave } from "./vm-snapshots/save-vm.ts";
export { cannotSave, savedDisks } from "./vm-snapshots/saved-disks.ts";
export {
  damagedSnapshot,
  snapshotMismatch,
  snapshotUnsupported,
} from "./vm-snapshots/snapshot-errors.ts";
export { stageDisks } from "./vm-snapshots/stage-disks.ts";
export { type StagedDisk } from "./vm-snapshots/staged-disk.ts";
