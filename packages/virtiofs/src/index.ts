export { fsAddFailure } from "./add-failure.ts";
export {
  type FsCache,
  fsCaches,
  type FsData,
  fsDeviceId,
  type FsDirectoryRequest,
  type FsRequest,
  fsSandboxes,
  type FsSandbox,
  type FsSocketRequest,
  type ForeignFsData,
  type ServedFsData,
  virtiofs,
} from "./fs-device.ts";
export { fsCheck, virtiofsDevices, virtiofsKind } from "./fs-kind.ts";
export { hangUpInTime, type HangUpOptions } from "./hang-up-in-time.ts";
export { findServer } from "./server-processes.ts";
export { fsAttach, fsDetach, fsList, type FsView } from "./shares.ts";
export { virtiofsdName, virtiofsdPlaces } from "./virtiofsd-program.ts";
