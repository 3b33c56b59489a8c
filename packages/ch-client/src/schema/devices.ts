import type { Filled, Int64, PciDeviceCommonConfig } from "./common.ts";

/** The guest's source of random numbers. */
export interface RngConfig extends PciDeviceCommonConfig {
  /** Default `/dev/urandom`. */
  readonly src: string;
}

/** The guest's real-time clock. */
export interface RtcConfig extends PciDeviceCommonConfig {}

/** The balloon: memory that the guest gives back to the host. */
export interface BalloonConfig extends PciDeviceCommonConfig {
  /** Bytes taken from the guest. */
  readonly size: number;
  /** Gives memory back when the guest runs out of it. Default false. */
  readonly deflate_on_oom?: boolean | undefined;
  /** Lets the guest say which pages it does not use. Default false. */
  readonly free_page_reporting?: boolean | undefined;
}

/** A shared directory, served by virtiofsd. The VM's memory must be shared (or of huge pages). */
export interface FsConfig extends PciDeviceCommonConfig {
  /** What the guest mounts it by; at most 36 bytes. */
  readonly tag: string;
  /** virtiofsd's socket. A dead one makes the VMM wait for a minute, deaf to every other call. */
  readonly socket: string;
  /** Default 1. */
  readonly num_queues?: number | undefined;
  /** Default 1024. */
  readonly queue_size?: number | undefined;
}

/** A device of any virtio type whose backend is another process. */
export interface GenericVhostUserConfig extends PciDeviceCommonConfig {
  readonly socket: string;
  readonly queue_sizes: readonly number[];
  /** Virtio device id: 1 is net, 2 block, 26 fs. */
  readonly device_type: number;
}

/** A virtio-pmem device: a file that the guest sees as persistent memory. */
export interface PmemConfig extends PciDeviceCommonConfig {
  readonly file: string;
  /** Bytes; the file's own size where it is missing. */
  readonly size?: number | undefined;
  /** The guest's writes do not reach the file. Default false. */
  readonly discard_writes?: boolean | undefined;
}

/** A device of the host passed through by VFIO. */
export interface DeviceConfig extends PciDeviceCommonConfig {
  /** Directory of the device in sysfs. */
  readonly path?: string | undefined;
  /** Inherited descriptor; launch arguments only, like `fds` of a NIC. Not in the OpenAPI file. */
  readonly fd?: number | undefined;
  readonly x_nv_gpudirect_clique?: number | undefined;
  /** BARs (0 to 5) that are not mapped into the guest. */
  readonly x_exclude_mmap_bars?: readonly Int64[] | undefined;
}

/** A device served by another process over vfio-user. */
export interface UserDeviceConfig extends PciDeviceCommonConfig {
  readonly socket: string;
}

/** A vDPA device of the host. */
export interface VdpaConfig extends PciDeviceCommonConfig {
  readonly path: string;
  /** Default 1. */
  readonly num_queues?: number | undefined;
}

/** A virtio-vsock device, which the host reaches through a Unix socket. */
export interface VsockConfig extends PciDeviceCommonConfig {
  /** The guest's context id, from 3 on. */
  readonly cid: number;
  readonly socket: string;
}

/** A TPM that another process emulates. */
export interface TpmConfig {
  readonly socket: string;
}

/** {@link RngConfig} as `vm.info` answers it. */
export type ReportedRngConfig = Filled<RngConfig, "pci_segment">;

/** {@link RtcConfig} as `vm.info` answers it. */
export type ReportedRtcConfig = Filled<RtcConfig, "pci_segment">;

/** {@link BalloonConfig} as `vm.info` answers it. */
export type ReportedBalloonConfig = Filled<
  BalloonConfig,
  "pci_segment" | "deflate_on_oom" | "free_page_reporting"
>;

/** {@link FsConfig} as `vm.info` answers it. */
export type ReportedFsConfig = Filled<FsConfig, "pci_segment" | "num_queues" | "queue_size">;

/** {@link GenericVhostUserConfig} as `vm.info` answers it. */
export type ReportedGenericVhostUserConfig = Filled<GenericVhostUserConfig, "pci_segment">;

/** {@link PmemConfig} as `vm.info` answers it. */
export type ReportedPmemConfig = Filled<PmemConfig, "pci_segment" | "discard_writes">;

/** {@link DeviceConfig} as `vm.info` answers it. */
export type ReportedDeviceConfig = Filled<DeviceConfig, "pci_segment" | "x_exclude_mmap_bars">;

/** {@link UserDeviceConfig} as `vm.info` answers it. */
export type ReportedUserDeviceConfig = Filled<UserDeviceConfig, "pci_segment">;

/** {@link VdpaConfig} as `vm.info` answers it. */
export type ReportedVdpaConfig = Filled<VdpaConfig, "pci_segment" | "num_queues">;

/** {@link VsockConfig} as `vm.info` answers it. */
export type ReportedVsockConfig = Filled<VsockConfig, "pci_segment">;
