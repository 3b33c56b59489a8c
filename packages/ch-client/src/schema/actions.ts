import type { PciDeviceCommonConfig } from "./common.ts";

/** At least one of the three. */
export interface VmResize {
  readonly desired_vcpus?: number | undefined;
  /** Bytes. */
  readonly desired_ram?: number | undefined;
  /** Bytes. */
  readonly desired_balloon?: number | undefined;
}

/** The disk to resize, and to what. */
export interface VmResizeDisk {
  readonly id: string;
  /** Bytes. */
  readonly desired_size: number;
}

/** The memory zone to resize, and to what. */
export interface VmResizeZone {
  readonly id: string;
  /** Bytes. */
  readonly desired_ram: number;
}

/** The device to remove. */
export interface VmRemoveDevice {
  readonly id: string;
}

/** A vfio-user device to add to a VM. */
export interface VmAddUserDevice extends Omit<PciDeviceCommonConfig, "iommu"> {
  readonly socket: string;
}

/** Where a snapshot goes. */
export interface VmSnapshotConfig {
  /** `file://` and the path of an existing directory without a snapshot in it. Nothing is percent-decoded. */
  readonly destination_url: string;
}

/** Where a core dump of the guest goes. */
export interface VmCoredumpData {
  /** `file://` and the path of the file to make. */
  readonly destination_url: string;
}

/** `Copy` reads all memory before the restore ends; `OnDemand` reads a page when the guest touches it, and the rest within seconds. */
export type MemoryRestoreMode = "Copy" | "OnDemand";

/** A NIC of the snapshot that was made from descriptors, and how many it needs. They travel beside the body, which this client cannot do. */
export interface RestoredNetConfig {
  readonly id: string;
  readonly num_fds?: number | undefined;
}

/** Where a VM is restored from, and how. */
export interface RestoreConfig {
  /** `file://` and the path of the snapshot's directory. Nothing is percent-decoded. */
  readonly source_url: string;
  /** Not together with `OnDemand`. Default false. */
  readonly prefault?: boolean | undefined;
  /** Default `Copy`. */
  readonly memory_restore_mode?: MemoryRestoreMode | undefined;
  /** Runs the VM at once; it stays paused otherwise. Default false. */
  readonly resume?: boolean | undefined;
  /** Not in the OpenAPI file. */
  readonly net_fds?: readonly RestoredNetConfig[] | undefined;
}

/** `Precopy` sends all memory first; `Postcopy` (experimental) runs the VM on the other side first. */
export type MigrationMode = "Precopy" | "Postcopy";

/** What happens when a migration takes too long: it is given up, or done whatever the downtime. */
export type TimeoutStrategy = "Cancel" | "Ignore";

/** Where a migration comes from. */
export interface ReceiveMigrationData {
  /** `unix:PATH` or `tcp:HOST:PORT`. */
  readonly receiver_url: string;
  /** Directory with server-cert.pem, server-key.pem and ca-cert.pem; TCP only. */
  readonly tls_dir?: string | undefined;
  /** Default `Precopy`. */
  readonly memory_mode?: MigrationMode | undefined;
}

/** Where a migration goes to, and how. */
export interface SendMigrationData {
  /** `unix:PATH` or `tcp:HOST:PORT`. */
  readonly destination_url: string;
  /** Hands the memory over on the same host, without a copy. Default false. */
  readonly local?: boolean | undefined;
  /** Milliseconds that the VM may stand still. Default 300. */
  readonly downtime_ms?: number | undefined;
  /** Seconds that the whole may take. Default 3600. */
  readonly timeout_s?: number | undefined;
  /** Default `Cancel`. */
  readonly timeout_strategy?: TimeoutStrategy | undefined;
  /** TCP connections, 1 to 128. Default 1. */
  readonly connections?: number | undefined;
  /** Directory with ca-cert.pem, client-cert.pem and client-key.pem; TCP only. */
  readonly tls_dir?: string | undefined;
  /** Default `Precopy`. */
  readonly memory_mode?: MigrationMode | undefined;
}
