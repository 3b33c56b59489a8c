import type { U64 } from "../json/content.ts";

/** Where a device sits on the PCI bus; part of every PCI device's config. */
export interface PciCommon {
  id?: string;
  iommu?: boolean;
  pci_segment: number;
  pci_device_id?: number;
}

export interface CpusConfig {
  boot_vcpus: number;
  max_vcpus: number;
  topology?: {
    threads_per_core: number;
    cores_per_die: number;
    dies_per_package: number;
    packages: number;
  };
  kvm_hyperv: boolean;
  max_phys_bits: number;
  affinity?: { vcpu: number; host_cpus: U64[] }[];
  features: { amx: boolean };
  nested: boolean;
  core_scheduling: "Vm" | "Vcpu" | "Off";
  profile: "Host";
}

export interface MemoryZoneConfig {
  id: string;
  size: U64;
  file?: string;
  shared: boolean;
  hugepages: boolean;
  hugepage_size?: U64;
  host_numa_node?: number;
  hotplug_size?: U64;
  hotplugged_size?: U64;
  prefault: boolean;
  reserve: boolean;
  mergeable: boolean;
}

export interface MemoryConfig {
  size: U64;
  mergeable: boolean;
  hotplug_method: "Acpi" | "VirtioMem";
  hotplug_size?: U64;
  hotplugged_size?: U64;
  shared: boolean;
  hugepages: boolean;
  hugepage_size?: U64;
  prefault: boolean;
  reserve: boolean;
  zones?: MemoryZoneConfig[];
  thp: boolean;
}

export interface PayloadConfig {
  firmware?: string;
  kernel?: string;
  cmdline?: string;
  initramfs?: string;
}

export interface TokenBucket {
  size: U64;
  one_time_burst: U64 | null;
  refill_time: U64;
}

export interface RateLimiter {
  bandwidth: TokenBucket | null;
  ops: TokenBucket | null;
}

export interface RateLimiterGroupConfig {
  id: string;
  rate_limiter_config: RateLimiter;
}

export type ImageType = "FixedVhd" | "Qcow2" | "Raw" | "Vhdx" | "Unknown";

export interface DiskConfig extends PciCommon {
  path?: string;
  readonly: boolean;
  direct: boolean;
  num_queues: U64;
  queue_size: number;
  vhost_user: boolean;
  vhost_socket?: string;
  rate_limit_group?: string;
  rate_limiter_config?: RateLimiter;
  disable_io_uring: boolean;
  disable_aio: boolean;
  serial?: string;
  queue_affinity?: { queue_index: number; host_cpus: U64[] }[];
  backing_files: boolean;
  sparse: boolean;
  image_type: ImageType;
  lock_granularity: "ByteRange" | "Full";
}

export interface NetConfig extends PciCommon {
  tap?: string;
  ip?: string;
  mask?: string;
  mac: string;
  host_mac?: string;
  mtu?: number;
  num_queues: U64;
  queue_size: number;
  vhost_user: boolean;
  vhost_socket?: string;
  vhost_mode: "Client" | "Server";
  fds?: number[];
  rate_limiter_config?: RateLimiter;
  offload_tso: boolean;
  offload_ufo: boolean;
  offload_csum: boolean;
}

export interface RngConfig extends PciCommon {
  src: string;
}

export type RtcConfig = PciCommon;

export interface BalloonConfig extends PciCommon {
  size: U64;
  deflate_on_oom: boolean;
  free_page_reporting: boolean;
}

export interface FsConfig extends PciCommon {
  tag: string;
  socket: string;
  num_queues: U64;
  queue_size: number;
}

export interface GenericVhostUserConfig extends PciCommon {
  socket: string;
  queue_sizes: number[];
  device_type: number;
}

export interface PmemConfig extends PciCommon {
  file: string;
  size?: U64;
  discard_writes: boolean;
}

export type ConsoleMode = "Off" | "Pty" | "Tty" | "File" | "Socket" | "Null";

export interface SerialConfig {
  file?: string;
  mode: ConsoleMode;
  socket?: string;
}

export interface ConsoleConfig extends SerialConfig, PciCommon {}

export interface DebugConsoleConfig {
  file?: string;
  mode: ConsoleMode;
  iobase?: number;
}

export interface DeviceConfig extends PciCommon {
  path?: string;
  fd?: number;
  x_nv_gpudirect_clique?: number;
  x_exclude_mmap_bars: U64[];
}

export interface UserDeviceConfig extends PciCommon {
  socket: string;
}

export interface VdpaConfig extends PciCommon {
  path: string;
  num_queues: U64;
}

export interface VsockConfig extends PciCommon {
  cid: number;
  socket: string;
}

export interface NumaConfig {
  guest_numa_id: number;
  cpus?: number[];
  distances?: { destination: number; distance: number }[];
  memory_zones?: string[];
  pci_segments?: number[];
  device_id?: string;
}

export interface PciSegmentConfig {
  pci_segment: number;
  mmio32_aperture_weight: number;
  mmio64_aperture_weight: number;
}

export interface PlatformConfig {
  num_pci_segments: number;
  iommu_segments?: number[];
  iommu_address_width_bits: number;
  system_serial_number?: string;
  system_uuid?: string;
  oem_strings?: string[];
  system_manufacturer?: string;
  system_product_name?: string;
  system_version?: string;
  system_family?: string;
  system_sku_number?: string;
  chassis_asset_tag?: string;
  iommufd: boolean;
  iommufd_fd?: number;
  vfio_p2p_dma: boolean;
}

export interface LandlockRule {
  path: string;
  access: string;
}

/** A VM's whole config, in the names of the API. It changes while the VM lives, as the real program's does. */
export interface VmConfig {
  cpus: CpusConfig;
  memory: MemoryConfig;
  payload?: PayloadConfig;
  rate_limit_groups?: RateLimiterGroupConfig[];
  disks?: DiskConfig[];
  net?: NetConfig[];
  rng: RngConfig;
  balloon?: BalloonConfig;
  generic_vhost_user?: GenericVhostUserConfig[];
  fs?: FsConfig[];
  pmem?: PmemConfig[];
  serial: SerialConfig;
  console: ConsoleConfig;
  debug_console: DebugConsoleConfig;
  devices?: DeviceConfig[];
  user_devices?: UserDeviceConfig[];
  vdpa?: VdpaConfig[];
  vsock?: VsockConfig;
  pvpanic: boolean;
  iommu: boolean;
  numa?: NumaConfig[];
  watchdog: boolean;
  rtc?: RtcConfig;
  pci_segments?: PciSegmentConfig[];
  platform?: PlatformConfig;
  tpm?: { socket: string };
  landlock_enable: boolean;
  landlock_rules?: LandlockRule[];
}

/** What `vm.restore` takes. */
export interface RestoreConfig {
  source_url: string;
  prefault: boolean;
  memory_restore_mode: "Copy" | "OnDemand";
  net_fds?: { id: string; num_fds: U64; fds?: number[] }[];
  resume: boolean;
}
