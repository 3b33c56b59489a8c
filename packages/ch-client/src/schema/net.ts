import type { Filled, PciDeviceCommonConfig } from "./common.ts";
import type { RateLimiterConfig } from "./rate-limits.ts";

/** Which side of a vhost-user socket the VMM is. */
export type VhostMode = "Client" | "Server";

/** A virtio-net device: on a TAP, or with a vhost-user backend. */
export interface NetConfig extends PciDeviceCommonConfig {
  /**
   * Name of the TAP device, at most 15 bytes. One that is not there is made, and goes with the VMM.
   * One queue pair needs a plain TAP, more a `multi_queue` one.
   */
  readonly tap?: string | undefined;
  /** Address that the VMM gives the TAP on the host; only together with `mask`. */
  readonly ip?: string | undefined;
  readonly mask?: string | undefined;
  /** The guest's MAC address; random where it is missing. */
  readonly mac?: string | undefined;
  /** The TAP's MAC address on the host. */
  readonly host_mac?: string | undefined;
  readonly mtu?: number | undefined;
  /** Two per pair, at most two per boot vCPU. Default 2. */
  readonly num_queues?: number | undefined;
  /** A power of 2 up to 32768. Default 256. */
  readonly queue_size?: number | undefined;
  /** Served by another process through `vhost_socket`. Default false. */
  readonly vhost_user?: boolean | undefined;
  readonly vhost_socket?: string | undefined;
  /** Default `Client`. */
  readonly vhost_mode?: VhostMode | undefined;
  readonly rate_limiter_config?: RateLimiterConfig | undefined;
  /** Segmentation offload; needs `offload_csum`. Default true. */
  readonly offload_tso?: boolean | undefined;
  /** UDP fragmentation offload; needs `offload_csum`. Default true. */
  readonly offload_ufo?: boolean | undefined;
  /** Checksum offload. Default true. */
  readonly offload_csum?: boolean | undefined;
  /**
   * Open descriptors of TAP devices. Only the launch arguments can hand them over, to a VMM that inherits them: the VMM
   * takes numbers that arrive as JSON for invalid. Not in its OpenAPI file.
   */
  readonly fds?: readonly number[] | undefined;
}

/** {@link NetConfig} as `vm.info` answers it. */
export type ReportedNetConfig = Filled<
  NetConfig,
  | "pci_segment"
  | "mac"
  | "num_queues"
  | "queue_size"
  | "vhost_user"
  | "vhost_mode"
  | "offload_tso"
  | "offload_ufo"
  | "offload_csum"
>;
