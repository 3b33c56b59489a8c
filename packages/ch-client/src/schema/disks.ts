import type { Filled, PciDeviceCommonConfig } from "./common.ts";
import type { RateLimiterConfig } from "./rate-limits.ts";

/** Format of a disk image. `Unknown` makes the VMM look; what it finds to be raw it then protects against writes to sector 0. */
export type ImageType = "FixedVhd" | "Qcow2" | "Raw" | "Vhdx" | "Unknown";

/** What of a disk image the VMM locks: the range of its bytes, or the whole file. */
export type LockGranularity = "ByteRange" | "Full";

/** The host's CPUs that a queue's thread may run on. */
export interface VirtQueueAffinity {
  readonly queue_index: number;
  /** CPUs of the host that the queue's thread may run on. */
  readonly host_cpus: readonly number[];
}

/** A virtio-blk device: an image, a block device, or a vhost-user backend. */
export interface DiskConfig extends PciDeviceCommonConfig {
  /** Missing only for vhost-user disks. */
  readonly path?: string | undefined;
  /** Default false. */
  readonly readonly?: boolean | undefined;
  /** O_DIRECT: past the host's page cache. Default false. */
  readonly direct?: boolean | undefined;
  /** At most the boot vCPUs. Default 1. */
  readonly num_queues?: number | undefined;
  /** A power of 2, 16 to 32768. Default 128. */
  readonly queue_size?: number | undefined;
  /** Served by another process through `vhost_socket`. Default false. */
  readonly vhost_user?: boolean | undefined;
  readonly vhost_socket?: string | undefined;
  readonly rate_limiter_config?: RateLimiterConfig | undefined;
  /** Id of a group of `rate_limit_groups`. Not together with `rate_limiter_config`. */
  readonly rate_limit_group?: string | undefined;
  /** What the guest reads as the disk's serial; at most 20 bytes. */
  readonly serial?: string | undefined;
  readonly queue_affinity?: readonly VirtQueueAffinity[] | undefined;
  /** Lets a qcow2 image name a backing file. Default false. */
  readonly backing_files?: boolean | undefined;
  /** Lets the guest's discards make holes. Default true. */
  readonly sparse?: boolean | undefined;
  /** Default `Unknown`. */
  readonly image_type?: ImageType | undefined;
  /** Default `ByteRange`. */
  readonly lock_granularity?: LockGranularity | undefined;
  /** For tests of the VMM; not in its OpenAPI file. */
  readonly disable_io_uring?: boolean | undefined;
  /** For tests of the VMM; not in its OpenAPI file. */
  readonly disable_aio?: boolean | undefined;
}

/** {@link DiskConfig} as `vm.info` answers it. */
export type ReportedDiskConfig = Filled<
  DiskConfig,
  | "pci_segment"
  | "readonly"
  | "direct"
  | "num_queues"
  | "queue_size"
  | "vhost_user"
  | "backing_files"
  | "sparse"
  | "image_type"
  | "lock_granularity"
  | "disable_io_uring"
  | "disable_aio"
>;
