import type {
  ConsoleConfig,
  DebugConsoleConfig,
  ReportedConsoleConfig,
  SerialConfig,
} from "./consoles.ts";
import type { CpusConfig, ReportedCpusConfig } from "./cpus.ts";
import type * as devices from "./devices.ts";
import type { DiskConfig, ReportedDiskConfig } from "./disks.ts";
import type { MemoryConfig, ReportedMemoryConfig } from "./memory.ts";
import type { NetConfig, ReportedNetConfig } from "./net.ts";
import type {
  LandlockConfig,
  NumaConfig,
  PayloadConfig,
  PciSegmentConfig,
  PlatformConfig,
  ReportedPciSegmentConfig,
  ReportedPlatformConfig,
} from "./platform.ts";
import type { RateLimitGroupConfig } from "./rate-limits.ts";

/**
 * A VM, as `vm.create` takes it. The VMM checks the types of the fields and nothing else: it ignores fields that it does
 * not know, and what cannot work fails at `vm.boot`.
 */
export interface VmConfig {
  /** Default one vCPU. */
  readonly cpus?: CpusConfig | undefined;
  /** Default 512 MiB. */
  readonly memory?: MemoryConfig | undefined;
  /** Required to boot. */
  readonly payload?: PayloadConfig | undefined;
  readonly rate_limit_groups?: readonly RateLimitGroupConfig[] | undefined;
  readonly disks?: readonly DiskConfig[] | undefined;
  readonly net?: readonly NetConfig[] | undefined;
  readonly rng?: devices.RngConfig | undefined;
  readonly balloon?: devices.BalloonConfig | undefined;
  readonly fs?: readonly devices.FsConfig[] | undefined;
  /** The OpenAPI file spells it `generic-vhost-user`, which the program ignores like any unknown field. */
  readonly generic_vhost_user?: readonly devices.GenericVhostUserConfig[] | undefined;
  readonly pmem?: readonly devices.PmemConfig[] | undefined;
  readonly serial?: SerialConfig | undefined;
  readonly console?: ConsoleConfig | undefined;
  readonly debug_console?: DebugConsoleConfig | undefined;
  readonly devices?: readonly devices.DeviceConfig[] | undefined;
  readonly user_devices?: readonly devices.UserDeviceConfig[] | undefined;
  readonly vdpa?: readonly devices.VdpaConfig[] | undefined;
  readonly vsock?: devices.VsockConfig | undefined;
  readonly numa?: readonly NumaConfig[] | undefined;
  /** A virtual IOMMU; turned on by the VMM where a device wants it. */
  readonly iommu?: boolean | undefined;
  readonly watchdog?: boolean | undefined;
  readonly rtc?: devices.RtcConfig | undefined;
  readonly pvpanic?: boolean | undefined;
  readonly pci_segments?: readonly PciSegmentConfig[] | undefined;
  readonly platform?: PlatformConfig | undefined;
  readonly tpm?: devices.TpmConfig | undefined;
  readonly landlock_enable?: boolean | undefined;
  readonly landlock_rules?: readonly LandlockConfig[] | undefined;
}

/** {@link VmConfig} as `vm.info` answers it: with the defaults filled in, PTY paths and device ids included. */
export interface ReportedVmConfig {
  readonly cpus: ReportedCpusConfig;
  readonly memory: ReportedMemoryConfig;
  readonly payload?: PayloadConfig;
  readonly rate_limit_groups?: readonly RateLimitGroupConfig[];
  readonly disks?: readonly ReportedDiskConfig[];
  readonly net?: readonly ReportedNetConfig[];
  readonly rng: devices.ReportedRngConfig;
  readonly balloon?: devices.ReportedBalloonConfig;
  readonly fs?: readonly devices.ReportedFsConfig[];
  readonly generic_vhost_user?: readonly devices.ReportedGenericVhostUserConfig[];
  readonly pmem?: readonly devices.ReportedPmemConfig[];
  readonly serial: SerialConfig;
  readonly console: ReportedConsoleConfig;
  /** x86-64 only. */
  readonly debug_console?: DebugConsoleConfig;
  readonly devices?: readonly devices.ReportedDeviceConfig[];
  readonly user_devices?: readonly devices.ReportedUserDeviceConfig[];
  readonly vdpa?: readonly devices.ReportedVdpaConfig[];
  readonly vsock?: devices.ReportedVsockConfig;
  readonly numa?: readonly NumaConfig[];
  readonly iommu: boolean;
  readonly watchdog: boolean;
  readonly rtc?: devices.ReportedRtcConfig;
  readonly pvpanic: boolean;
  readonly pci_segments?: readonly ReportedPciSegmentConfig[];
  readonly platform?: ReportedPlatformConfig;
  readonly tpm?: devices.TpmConfig;
  readonly landlock_enable: boolean;
  readonly landlock_rules?: readonly LandlockConfig[];
}
