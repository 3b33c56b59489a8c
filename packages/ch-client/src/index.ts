export type { ChCallOptions } from "./call.ts";
export { createChClient } from "./client.ts";
export type {
  ChClient,
  ChClientOptions,
  ChVmCalls,
  ChVmmCalls,
  VmmShutdownOutcome,
} from "./client.ts";
export { waitForApi, waitForState } from "./wait.ts";
export type { WaitOptions } from "./wait.ts";

export { socketTransport } from "./socket-transport.ts";
export { preloadUndici, undiciTransport } from "./undici-transport.ts";
export type { UndiciTransportOptions } from "./undici-transport.ts";
export type { ChTransport, ChTransportRequest, ChTransportResponse } from "./transport.ts";

export { apiRoot, maxBodyBytes, maxSocketPathBytes, operations } from "./operations.ts";
export type {
  Operation,
  OperationName,
  OperationRequest,
  OperationResponse,
  OperationSchemas,
} from "./operations.ts";

export {
  ChAbortError,
  ChApiError,
  ChConnectionError,
  ChError,
  ChInvalidRequestError,
  ChProtocolError,
  ChTimeoutError,
  ChVmmEndedError,
  isChError,
} from "./errors.ts";
export type { ChConnectionFailure, ChErrorCode, ChErrorContext } from "./errors.ts";
export {
  invalidStateTransition,
  isAlreadyCreated,
  isDeviceNotFound,
  isDeviceNotRemovable,
  isDiskLocked,
  isIdNotUnique,
  isInvalidStateTransition,
  isNotCreated,
  isNotRunning,
  isOnDemandRestoreInProgress,
  isPendingResize,
  isServerFull,
  isSharedMemoryRequired,
  isUnknownCall,
  isVmmEnding,
  lockedDisk,
  osErrorOf,
} from "./error-predicates.ts";

export { isOpaqueNumber, parseJson, stringifyJson } from "./json.ts";
export type { ParseJsonOptions } from "./json.ts";

export { eventTimeMs, isEvent } from "./events/event.ts";
export type {
  ChEvent,
  ChEventName,
  ChEventSource,
  KnownChEvent,
  KnownChEvents,
} from "./events/event.ts";
export { parseEvents } from "./events/parse-events.ts";
export type { ParseEventsOptions } from "./events/parse-events.ts";
export { readEvents } from "./events/read-events.ts";
export type { ReadEventsOptions } from "./events/read-events.ts";

export { argumentObstacles, isExpressibleAsArgs } from "./launch/argument-obstacles.ts";
export { consoleArg, debugConsoleArg, serialArg } from "./launch/console-arg.ts";
export {
  balloonArg,
  deviceArg,
  fsArg,
  pmemArg,
  rngArg,
  userDeviceArg,
  vdpaArg,
  vsockArg,
} from "./launch/device-args.ts";
export { diskArg } from "./launch/disk-arg.ts";
export { launchArgs, vmmArgs } from "./launch/launch-args.ts";
export { toVmConfig } from "./launch/launch.ts";
export type { InheritedDescriptor, VmmLaunch, VmmProcessOptions } from "./launch/launch.ts";
export { cpusArg, memoryArg } from "./launch/machine-args.ts";
export { netArg } from "./launch/net-arg.ts";

export type {
  MemoryRestoreMode,
  MigrationMode,
  ReceiveMigrationData,
  RestoreConfig,
  RestoredNetConfig,
  SendMigrationData,
  TimeoutStrategy,
  VmAddUserDevice,
  VmCoredumpData,
  VmRemoveDevice,
  VmResize,
  VmResizeDisk,
  VmResizeZone,
  VmSnapshotConfig,
} from "./schema/actions.ts";
export type { Int64, PciDeviceCommonConfig } from "./schema/common.ts";
export type {
  ConsoleConfig,
  ConsoleMode,
  DebugConsoleConfig,
  ReportedConsoleConfig,
  SerialConfig,
} from "./schema/consoles.ts";
export type {
  CoreSchedulingMode,
  CpuAffinity,
  CpuFeatures,
  CpusConfig,
  CpuTopology,
  ReportedCpusConfig,
} from "./schema/cpus.ts";
export type {
  BalloonConfig,
  DeviceConfig,
  FsConfig,
  GenericVhostUserConfig,
  PmemConfig,
  ReportedBalloonConfig,
  ReportedDeviceConfig,
  ReportedFsConfig,
  ReportedGenericVhostUserConfig,
  ReportedPmemConfig,
  ReportedRngConfig,
  ReportedRtcConfig,
  ReportedUserDeviceConfig,
  ReportedVdpaConfig,
  ReportedVsockConfig,
  RngConfig,
  RtcConfig,
  TpmConfig,
  UserDeviceConfig,
  VdpaConfig,
  VsockConfig,
} from "./schema/devices.ts";
export type {
  DiskConfig,
  ImageType,
  LockGranularity,
  ReportedDiskConfig,
  VirtQueueAffinity,
} from "./schema/disks.ts";
export type {
  DeviceNode,
  DeviceResource,
  PciDeviceInfo,
  VmCounters,
  VmInfo,
  VmmPingResponse,
  VmState,
} from "./schema/info.ts";
export type {
  HotplugMethod,
  MemoryConfig,
  MemoryZoneConfig,
  ReportedMemoryConfig,
  ReportedMemoryZoneConfig,
} from "./schema/memory.ts";
export type { NetConfig, ReportedNetConfig, VhostMode } from "./schema/net.ts";
export type {
  LandlockConfig,
  NumaConfig,
  NumaDistance,
  PayloadConfig,
  PciSegmentConfig,
  PlatformConfig,
  ReportedPciSegmentConfig,
  ReportedPlatformConfig,
} from "./schema/platform.ts";
export type { RateLimiterConfig, RateLimitGroupConfig, TokenBucket } from "./schema/rate-limits.ts";
export type { ReportedVmConfig, VmConfig } from "./schema/vm-config.ts";
