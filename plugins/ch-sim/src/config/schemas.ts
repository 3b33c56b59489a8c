import { randomBytes } from "node:crypto";
import { isIP } from "node:net";

import {
  bool,
  i32,
  listOf,
  mapped,
  nullable,
  oneOf,
  option,
  path,
  string,
  text,
  u16,
  u32,
  u64,
  u8,
  usize,
} from "../json/schema.ts";
import { defaulted, field, spread, struct, needed } from "../json/struct.ts";
import type * as types from "./types.ts";

const no = () => false;
const yes = () => true;

/** A MAC address as the program writes it; throws with its words on anything else. */
export function parseMac(value: string): string {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(value))
    throw new Error(`parsing of ${value} into a MAC address failed`);
  return value.toLowerCase();
}

/** A random MAC address of the program's own prefix. */
export function randomMac(): string {
  return ["2e", ...[...randomBytes(5)].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

const mac = text("a string", (value) => {
  try {
    return parseMac(value);
  } catch (error) {
    const message = `The provided MAC address is invalid: ${(error as Error).message}`;
    throw new Error(message, { cause: error });
  }
});

const ip = text(
  "IP address",
  (value) => {
    if (isIP(value) === 0) throw new Error("invalid IP address syntax");
    return value;
  },
  true,
);

/** File descriptors cannot come through JSON: whatever was written is -1. */
const fdPlaceholders = option(mapped(listOf(i32), (fds) => fds.map(() => -1)));

export const pciCommon = struct<types.PciCommon>("PciDeviceCommonConfig", [
  defaulted("id", option(string), () => undefined),
  defaulted(
    "iommu",
    mapped(bool, (value) => (value ? true : undefined)),
    () => undefined,
  ),
  defaulted("pci_segment", u16, () => 0),
  defaulted("pci_device_id", option(u8), () => undefined),
]);

const cpus = struct<types.CpusConfig>("CpusConfig", [
  field("boot_vcpus", u32),
  field("max_vcpus", u32),
  field(
    "topology",
    option(
      struct("CpuTopology", [
        field("threads_per_core", u16),
        field("cores_per_die", u16),
        field("dies_per_package", u16),
        field("packages", u16),
      ]),
    ),
  ),
  defaulted("kvm_hyperv", bool, no),
  defaulted("max_phys_bits", u8, () => 46),
  field(
    "affinity",
    option(listOf(struct("CpuAffinity", [field("vcpu", u32), field("host_cpus", listOf(usize))]))),
  ),
  defaulted("features", struct("CpuFeatures", [defaulted("amx", bool, no)]), () => ({
    amx: false,
  })),
  defaulted("nested", bool, yes),
  defaulted("core_scheduling", oneOf("CoreScheduling", ["Vm", "Vcpu", "Off"]), () => "Vm" as const),
  defaulted("profile", oneOf("CpuProfile", ["Host"]), () => "Host" as const),
]);

const memoryZone = struct<types.MemoryZoneConfig>("MemoryZoneConfig", [
  field("id", string),
  field("size", u64),
  field("file", option(path)),
  defaulted("shared", bool, no),
  defaulted("hugepages", bool, no),
  field("hugepage_size", option(u64)),
  field("host_numa_node", option(u32)),
  field("hotplug_size", option(u64)),
  field("hotplugged_size", option(u64)),
  defaulted("prefault", bool, no),
  defaulted("reserve", bool, no),
  defaulted("mergeable", bool, no),
]);

const memory = struct<types.MemoryConfig>("MemoryConfig", [
  field("size", u64),
  defaulted("mergeable", bool, no),
  defaulted("hotplug_method", oneOf("HotplugMethod", ["Acpi", "VirtioMem"]), () => "Acpi" as const),
  field("hotplug_size", option(u64)),
  field("hotplugged_size", option(u64)),
  defaulted("shared", bool, no),
  defaulted("hugepages", bool, no),
  field("hugepage_size", option(u64)),
  defaulted("prefault", bool, no),
  defaulted("reserve", bool, no),
  field("zones", option(listOf(memoryZone))),
  defaulted("thp", bool, yes),
]);

const payload = struct<types.PayloadConfig>("PayloadConfig", [
  defaulted("firmware", option(path), () => undefined),
  defaulted("kernel", option(path), () => undefined),
  defaulted("cmdline", option(string), () => undefined),
  defaulted("initramfs", option(path), () => undefined),
]);

const tokenBucket = struct<types.TokenBucket>("TokenBucketConfig", [
  field("size", u64),
  needed("one_time_burst", nullable(u64)),
  field("refill_time", u64),
]);

const rateLimiter = struct<types.RateLimiter>(
  "RateLimiterConfig",
  [field("bandwidth", nullable(tokenBucket)), field("ops", nullable(tokenBucket))],
  true,
);

const rateLimitGroup = struct<types.RateLimiterGroupConfig>("RateLimiterGroupConfig", [
  defaulted("id", string, () => ""),
  defaulted("rate_limiter_config", rateLimiter, () => ({ bandwidth: null, ops: null })),
]);

export const diskConfig = struct<types.DiskConfig>("DiskConfig", [
  spread(pciCommon),
  field("path", option(path)),
  defaulted("readonly", bool, no),
  defaulted("direct", bool, no),
  defaulted("num_queues", usize, () => 1),
  defaulted("queue_size", u16, () => 128),
  defaulted("vhost_user", bool, no),
  field("vhost_socket", option(string)),
  field("rate_limit_group", option(string)),
  field("rate_limiter_config", option(rateLimiter)),
  defaulted("disable_io_uring", bool, no),
  defaulted("disable_aio", bool, no),
  field("serial", option(string)),
  field(
    "queue_affinity",
    option(
      listOf(
        struct("VirtQueueAffinity", [field("queue_index", u16), field("host_cpus", listOf(usize))]),
      ),
    ),
  ),
  defaulted("backing_files", bool, no),
  defaulted("sparse", bool, yes),
  defaulted(
    "image_type",
    oneOf("ImageType", ["FixedVhd", "Qcow2", "Raw", "Vhdx", "Unknown"]),
    () => "Unknown" as const,
  ),
  defaulted(
    "lock_granularity",
    oneOf("LockGranularityChoice", ["ByteRange", "Full"]),
    () => "ByteRange" as const,
  ),
]);

export const netConfig = struct<types.NetConfig>("NetConfig", [
  spread(pciCommon),
  field("tap", option(string)),
  field("ip", option(ip)),
  field("mask", option(ip)),
  defaulted("mac", mac, randomMac),
  field("host_mac", option(mac)),
  field("mtu", option(u16)),
  defaulted("num_queues", usize, () => 2),
  defaulted("queue_size", u16, () => 256),
  defaulted("vhost_user", bool, no),
  field("vhost_socket", option(string)),
  defaulted("vhost_mode", oneOf("VhostMode", ["Client", "Server"]), () => "Client" as const),
  defaulted("fds", fdPlaceholders, () => undefined),
  field("rate_limiter_config", option(rateLimiter)),
  defaulted("offload_tso", bool, yes),
  defaulted("offload_ufo", bool, yes),
  defaulted("offload_csum", bool, yes),
]);

const rng = struct<types.RngConfig>("RngConfig", [spread(pciCommon), field("src", path)]);
const rtc = struct<types.RtcConfig>("RtcConfig", [spread(pciCommon)]);

const balloon = struct<types.BalloonConfig>("BalloonConfig", [
  spread(pciCommon),
  field("size", u64),
  defaulted("deflate_on_oom", bool, no),
  defaulted("free_page_reporting", bool, no),
]);

export const fsConfig = struct<types.FsConfig>("FsConfig", [
  spread(pciCommon),
  field("tag", string),
  field("socket", path),
  defaulted("num_queues", usize, () => 1),
  defaulted("queue_size", u16, () => 1024),
]);

export const genericVhostUserConfig = struct<types.GenericVhostUserConfig>(
  "GenericVhostUserConfig",
  [
    spread(pciCommon),
    field("socket", path),
    field("queue_sizes", listOf(u16)),
    field("device_type", u32),
  ],
);

export const pmemConfig = struct<types.PmemConfig>("PmemConfig", [
  spread(pciCommon),
  field("file", path),
  field("size", option(u64)),
  defaulted("discard_writes", bool, no),
]);

const consoleMode = oneOf("ConsoleOutputMode", ["Off", "Pty", "Tty", "File", "Socket", "Null"]);

const commonConsole = struct<types.SerialConfig>("CommonConsoleConfig", [
  field("file", option(path)),
  field("mode", consoleMode),
  field("socket", option(path)),
]);

const serial = struct<types.SerialConfig>("SerialConfig", [spread(commonConsole)]);
const console = struct<types.ConsoleConfig>("ConsoleConfig", [
  spread(commonConsole),
  spread(pciCommon),
]);
const debugConsole = struct<types.DebugConsoleConfig>("DebugConsoleConfig", [
  field("file", option(path)),
  field("mode", consoleMode),
  needed("iobase", option(u16)),
]);

export const deviceConfig = struct<types.DeviceConfig>("DeviceConfig", [
  spread(pciCommon),
  field("path", option(path)),
  defaulted("fd", option(mapped(i32, () => -1)), () => undefined),
  field("x_nv_gpudirect_clique", option(u8)),
  defaulted("x_exclude_mmap_bars", listOf(u64), () => []),
]);

export const userDeviceConfig = struct<types.UserDeviceConfig>("UserDeviceConfig", [
  spread(pciCommon),
  field("socket", path),
]);

export const vdpaConfig = struct<types.VdpaConfig>("VdpaConfig", [
  spread(pciCommon),
  field("path", path),
  defaulted("num_queues", usize, () => 1),
]);

export const vsockConfig = struct<types.VsockConfig>("VsockConfig", [
  spread(pciCommon),
  field("cid", u32),
  field("socket", path),
]);

const numa = struct<types.NumaConfig>("NumaConfig", [
  field("guest_numa_id", u32),
  field("cpus", option(listOf(u32))),
  field(
    "distances",
    option(
      listOf(
        struct("NumaDistance", [
          defaulted("destination", u32, () => 0),
          defaulted("distance", u8, () => 0),
        ]),
      ),
    ),
  ),
  field("memory_zones", option(listOf(string))),
  field("pci_segments", option(listOf(u16))),
  field("device_id", option(string)),
]);

const pciSegment = struct<types.PciSegmentConfig>("PciSegmentConfig", [
  defaulted("pci_segment", u16, () => 0),
  defaulted("mmio32_aperture_weight", u32, () => 1),
  defaulted("mmio64_aperture_weight", u32, () => 1),
]);

const platform = struct<types.PlatformConfig>("PlatformConfig", [
  defaulted("num_pci_segments", u16, () => 1),
  field("iommu_segments", option(listOf(u16))),
  defaulted("iommu_address_width_bits", u8, () => 64),
  field("system_serial_number", option(string), "serial_number"),
  field("system_uuid", option(string), "uuid"),
  field("oem_strings", option(listOf(string))),
  field("system_manufacturer", option(string)),
  field("system_product_name", option(string)),
  field("system_version", option(string)),
  field("system_family", option(string)),
  field("system_sku_number", option(string)),
  field("chassis_asset_tag", option(string)),
  defaulted("iommufd", bool, no),
  defaulted("iommufd_fd", option(mapped(i32, () => -1)), () => undefined),
  defaulted("vfio_p2p_dma", bool, yes),
]);

export const vmConfig = struct<types.VmConfig>("VmConfig", [
  defaulted("cpus", cpus, defaultCpus),
  defaulted("memory", memory, defaultMemory),
  needed("payload", option(payload)),
  needed("rate_limit_groups", option(listOf(rateLimitGroup))),
  needed("disks", option(listOf(diskConfig))),
  needed("net", option(listOf(netConfig))),
  defaulted("rng", rng, () => ({ pci_segment: 0, src: "/dev/urandom" })),
  needed("balloon", option(balloon)),
  needed("generic_vhost_user", option(listOf(genericVhostUserConfig))),
  needed("fs", option(listOf(fsConfig))),
  needed("pmem", option(listOf(pmemConfig))),
  defaulted("serial", serial, () => ({ mode: "Null" as const })),
  defaulted("console", console, () => ({ mode: "Tty" as const, pci_segment: 0 })),
  defaulted("debug_console", debugConsole, () => ({ mode: "Off" as const, iobase: 0xe9 })),
  needed("devices", option(listOf(deviceConfig))),
  needed("user_devices", option(listOf(userDeviceConfig))),
  needed("vdpa", option(listOf(vdpaConfig))),
  needed("vsock", option(vsockConfig)),
  defaulted("pvpanic", bool, no),
  defaulted("iommu", bool, no),
  needed("numa", option(listOf(numa))),
  defaulted("watchdog", bool, no),
  field("rtc", option(rtc)),
  needed("pci_segments", option(listOf(pciSegment))),
  needed("platform", option(platform)),
  needed("tpm", option(struct("TpmConfig", [field("socket", path)]))),
  defaulted("landlock_enable", bool, no),
  needed(
    "landlock_rules",
    option(listOf(struct("LandlockConfig", [field("path", path), field("access", string)]))),
  ),
]);

export const restoreConfig = struct<types.RestoreConfig>("RestoreConfig", [
  field("source_url", path),
  defaulted("prefault", bool, no),
  defaulted(
    "memory_restore_mode",
    oneOf("MemoryRestoreMode", ["Copy", "OnDemand"]),
    () => "Copy" as const,
  ),
  field(
    "net_fds",
    option(
      listOf(
        struct("RestoredNetConfig", [
          field("id", string),
          defaulted("num_fds", usize, () => 0),
          defaulted("fds", fdPlaceholders, () => undefined),
        ]),
      ),
    ),
  ),
  defaulted("resume", bool, no),
]);

/** The CPUs of a config that names none. */
export function defaultCpus(): types.CpusConfig {
  return {
    boot_vcpus: 1,
    max_vcpus: 1,
    kvm_hyperv: false,
    max_phys_bits: 46,
    features: { amx: false },
    nested: true,
    core_scheduling: "Vm",
    profile: "Host",
  };
}

/** The memory of a config that names none. */
export function defaultMemory(): types.MemoryConfig {
  return {
    size: 512 * 1024 * 1024,
    mergeable: false,
    hotplug_method: "Acpi",
    shared: false,
    hugepages: false,
    prefault: false,
    reserve: false,
    thp: true,
  };
}
