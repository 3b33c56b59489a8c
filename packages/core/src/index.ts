export { type EngineCallOptions } from "./call.ts";
export {
  type CapabilityToken,
  defineCapability,
  findCapability,
  missingCapability,
  provide,
  type ProvidedCapability,
} from "./capability.ts";
export { defaultConfig, defaultConfigPath } from "./config/defaults.ts";
export {
  checkSetting,
  configKeys,
  type ConfigSources,
  environmentName,
  loadConfig,
  type LoadedConfig,
  absolutePaths,
  parseSetting,
  readConfigFile,
} from "./config/load.ts";
export type { ConfigOrigin, EngineConfig } from "./config/schema.ts";
export type {
  AttachedTo,
  DeviceContext,
  DeviceKind,
  DeviceKindDefinition,
  HotPlug,
  PlannedDevice,
  RemoveContext,
} from "./devices/device-kind.ts";
export { netResize, type NetResize, type VmmNic } from "./devices/net-resize.ts";
export { createEngine } from "./engine/create-engine.ts";
export type {
  AdoptRequest,
  AttachOptions,
  BatchResult,
  ChangeNicsOptions,
  ChangeOptions,
  CloneOptions,
  CreateOptions,
  DeleteOptions,
  DetachOptions,
  Devices,
  DeviceView,
  Engine,
  EngineOptions,
  EventOptions,
  ListOptions,
  LoadOptions,
  LoadResult,
  LogOptions,
  NetworkList,
  NicChange,
  Nics,
  NicView,
  OperationView,
  Orphan,
  RestoreOptions,
  SavedSnapshotView,
  SaveOptions,
  SnapshotDetails,
  SnapshotLease,
  SnapshotRef,
  Snapshots,
  SnapshotView,
  StartOptions,
  StopOptions,
  Vm,
  VmEnd,
  VmView,
} from "./engine/types.ts";
export {
  causeMessages,
  exitCodes,
  isSilkError,
  restated,
  SilkError,
  type SilkErrorJson,
  type SilkErrorKind,
  type SilkErrorOptions,
  toSilkError,
} from "./errors.ts";
export type {
  CallOptions,
  CpuidEntry,
  FileKind,
  FileOpener,
  FileStat,
  Host,
  HostClock,
  HostCpu,
  HostDatabase,
  HostFacts,
  HostFile,
  HostFiles,
  HostLock,
  HostLocks,
  HostProcesses,
  HostRandom,
  HostStatement,
  HostTerminal,
  ProcessExit,
  ProcessIdentity,
  RunningProcess,
  SpawnedProcess,
  SpawnRequest,
  SqlValue,
  ToolRequest,
  ToolResult,
} from "./host.ts";
export {
  type BackendContext,
  type BackendDefinition,
  type Fitness,
  type Console,
  type Hypervisor,
  launchCommand,
  type LaunchCommand,
  type OperationContext,
  type StopRequest,
  type VmmProbe,
  type VmObservation,
} from "./hypervisor.ts";
export type {
  BlobReference,
  ImageGarbage,
  ImageLease,
  ImageSource,
  ImageSourceContext,
  ImageSourceDefinition,
  LeaseRequest,
  SeedContext,
} from "./image/image-source.ts";
export type {
  ContainerMount,
  GuestExit,
  ContainerRun,
  GuestConfig,
  ImageType,
  RunSpec,
  VmImage,
} from "./image/vm-image.ts";
export { type Logger, silentLogger } from "./logger.ts";
export { checkPlugin, withoutClashes } from "./plugin/check.ts";
export {
  type DiscoveredPlugins,
  discoverPlugins,
  type DiscoverOptions,
  type PluginLocation,
} from "./plugin/discover.ts";
export {
  type AddedLabels,
  type HookContexts,
  type HookDevice,
  type HookName,
  hookNames,
  type Hooks,
  type HookTools,
  type Operation,
  type OperationPhase,
  type OperationReport,
  type OperationVerb,
  type Veto,
} from "./plugin/hooks.ts";
export { type NamedKind, type PluginNames, pluginNames } from "./plugin/names.ts";
export { definePlugin, pluginApiVersion, type PluginDefinition } from "./plugin/plugin.ts";
export type {
  LoadedVm,
  LoadRequest,
  RestoreRequest,
  SavedSnapshot,
  SaveTimings,
  SnapshotRequest,
  SnapshotSource,
  Snapshotter,
  Timings,
} from "./snapshot/backend.ts";
export { withoutSnapshots } from "./snapshot/backend.ts";
export {
  bootFiles,
  checkManifest,
  formatManifest,
  parseManifest,
  readManifest,
  writeManifest,
} from "./snapshot/manifest-file.ts";
export {
  type ExternalFile,
  manifestName,
  type SnapshotDisk,
  type SnapshotFile,
  type SnapshotHost,
  type SnapshotManifest,
  type SnapshottedVm,
} from "./snapshot/manifest.ts";
export { type RestoredMemory, type RestoreMode, restoreModes } from "./snapshot/restore-mode.ts";
export type { Verb } from "./store/journal.ts";
export type { NetworkContext, NetworkDefinition, NetworkView, Plumbing } from "./plumbing.ts";
export {
  type DatabaseForm,
  databaseVersion,
  openDatabase,
  openDatabaseReadOnly,
} from "./store/database.ts";
export { directoryAbove } from "./own-directory.ts";
export { storeVersion } from "./store/schema.ts";
export type { VmSummary } from "./store/rows.ts";
export { validate } from "./validate.ts";
export { checkDisks, dataDiskNamePattern, reservedSerialPrefix } from "./vm/disks.ts";
export type {
  DeviceEventData,
  EventBase,
  EventData,
  EventTotal,
  EventType,
  LoadEventData,
  SilkEvent,
  SnapshotEventData,
} from "./vm/events.ts";
export { bootDisks } from "./vm/boot-disks.ts";
export { hearsPowerButton } from "./vm/hears-power-button.ts";
export { networkName } from "./vm/network-name.ts";
export { checkNicCount, mostNics } from "./vm/nics.ts";
export { checkName, namePattern } from "./vm/names.ts";
export {
  cmdlineOf,
  COW_SERIAL,
  layerSerialPrefix,
  type OciBoot,
  ociCmdline,
  reverseLayerSerials,
} from "./vm/oci-cmdline.ts";
export type {
  Attachment,
  Boot,
  DeviceData,
  DirectBoot,
  Disk,
  DiskRole,
  FirmwareBoot,
  LeavingNic,
  Nic,
  VmConfig,
  VmPaths,
  VmProblem,
  VmRecord,
  VmRuntime,
  VmState,
} from "./vm/record.ts";
export { resolveSpec } from "./vm/resolve-spec.ts";
export type { BootSpec, DataDiskSpec, DiskSpec, ResolvedVmSpec, VmSpec } from "./vm/spec.ts";
export { automaticBackend, type BackendChoice } from "./engine/choose-backend.ts";
export { abandonGraceMs } from "./vmm/abandon-vmm.ts";
export { diskLockedError } from "./vmm/disk-holder.ts";
export {
  endVmm,
  livingVmms,
  recordedVmm,
  requireVmm,
  unrecordedVmm,
  type VmmFinder,
} from "./vmm/end-vmm.ts";
export { kvmDenied, kvmProblem, kvmUnavailable } from "./vmm/kvm.ts";
export {
  type LaunchedVmm,
  type Launcher,
  type LaunchEvidence,
  launchVmm,
  VmmEnded,
  type VmmLaunch,
  type VmmTrouble,
} from "./vmm/launch-vmm.ts";
export { logEnd, readLogSince } from "./vmm/log-tail.ts";
export { consoleUnavailable, socketConsole, terminalConsole } from "./vmm/open-console.ts";
export { stopwatch } from "./vmm/stopwatch.ts";
export { throwAwayTap } from "./vmm/throw-away-tap.ts";
export { findVmmProgram, type VmmProgram } from "./vmm/vmm-program.ts";
