import type * as types from "../config/types.ts";
import { parseMac, randomMac } from "../config/schemas.ts";
import { VmmError } from "../errors.ts";
import { type U64 } from "../json/content.ts";
import {
  asBytes,
  asI32,
  asIntegers,
  asIp,
  asPairs,
  asU16,
  asU32,
  asU64,
  asU8,
  asWord,
  type Convert,
  Options,
} from "./option-parser.ts";
import { virtioDeviceType } from "./virtio-types.ts";

const PCI_KEYS = ["id", "pci_segment", "pci_device_id"] as const;
const PCI_KEYS_IOMMU = ["id", "iommu", "pci_segment", "pci_device_id"] as const;
const LIMIT_KEYS = [
  "bw_size",
  "bw_one_time_burst",
  "bw_refill_time",
  "ops_size",
  "ops_one_time_burst",
  "ops_refill_time",
] as const;

/** Makes an option error that of one argument. */
export function wrap(name: string, argument: string): (error: VmmError) => VmmError {
  return (error) => new VmmError(name, `Error parsing --${argument}`, error);
}

/** An argument that lacks what it needs. */
export function missing(name: string, message: string): VmmError {
  return new VmmError(name, message);
}

function compact<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined),
  ) as T;
}

/** Where a device sits, out of the text of its argument. */
export function parsePci(text: string): types.PciCommon {
  const options = new Options(
    text,
    PCI_KEYS_IOMMU,
    (error) =>
      new VmmError("ParsePciDeviceCommonConfig", "Error parsing common PCI device config", error),
    { subset: true },
  );
  const iommu = options.toggle("iommu");
  return compact<types.PciCommon>({
    id: options.get("id"),
    iommu: iommu ? true : undefined,
    pci_segment: options.convert("pci_segment", asU16) ?? 0,
    pci_device_id: options.convert("pci_device_id", asU8),
  });
}

function bucket(options: Options, prefix: "bw" | "ops"): types.TokenBucket | null {
  const size = options.convert(`${prefix}_size`, asU64) ?? 0;
  const burst = options.convert(`${prefix}_one_time_burst`, asU64) ?? 0;
  const refill = options.convert(`${prefix}_refill_time`, asU64) ?? 0;
  return size === 0 || refill === 0 ? null : { size, one_time_burst: burst, refill_time: refill };
}

function rateLimiter(options: Options): types.RateLimiter | undefined {
  const limiter = { bandwidth: bucket(options, "bw"), ops: bucket(options, "ops") };
  return limiter.bandwidth === null && limiter.ops === null ? undefined : limiter;
}

export function parseRateLimitGroup(text: string): types.RateLimiterGroupConfig {
  const options = new Options(
    text,
    [...LIMIT_KEYS, "id"],
    wrap("ParseRateLimiterGroup", "rate-limit-group"),
  );
  return {
    id: options.get("id") ?? "",
    rate_limiter_config: rateLimiter(options) ?? { bandwidth: null, ops: null },
  };
}

const imageType: Convert<types.ImageType> = asWord({
  vhd: "FixedVhd",
  qcow2: "Qcow2",
  raw: "Raw",
  vhdx: "Vhdx",
} as const);
const lockGranularity: Convert<"ByteRange" | "Full"> = (text) =>
  ({ "byte-range": "ByteRange", full: "Full" } as const)[text as "full"];

export function parseDisk(text: string): types.DiskConfig {
  const keys = [
    "path",
    "readonly",
    "direct",
    "queue_size",
    "num_queues",
    "vhost_user",
    "socket",
    ...LIMIT_KEYS,
    "_disable_io_uring",
    "_disable_aio",
    "serial",
    "rate_limit_group",
    "queue_affinity",
    "backing_files",
    "sparse",
    "image_type",
    "lock_granularity",
    ...PCI_KEYS_IOMMU,
  ];
  const options = new Options(text, keys, wrap("ParseDisk", "disk"));
  const socket = options.get("socket");
  return compact<types.DiskConfig>({
    path: options.get("path"),
    readonly: options.toggle("readonly"),
    direct: options.toggle("direct"),
    queue_size: options.convert("queue_size", asU16) ?? 128,
    num_queues: options.convert("num_queues", asU64) ?? 1,
    vhost_user: options.toggle("vhost_user"),
    vhost_socket: socket,
    disable_io_uring: options.toggle("_disable_io_uring"),
    disable_aio: options.toggle("_disable_aio"),
    rate_limit_group: options.get("rate_limit_group"),
    rate_limiter_config: rateLimiter(options),
    serial: options.get("serial"),
    queue_affinity: options
      .convert("queue_affinity", asPairs(asU16, asIntegers))
      ?.map(([queue_index, host_cpus]) => ({ queue_index, host_cpus })),
    backing_files: options.toggle("backing_files"),
    image_type:
      (socket === undefined ? options.convert("image_type", imageType) : undefined) ?? "Unknown",
    lock_granularity: options.convert("lock_granularity", lockGranularity) ?? "ByteRange",
    sparse: options.toggle("sparse", true),
    ...parsePci(text),
  });
}

const asMac: Convert<string> = (text) => {
  try {
    return parseMac(text);
  } catch {
    return undefined;
  }
};

export function parseNet(text: string): types.NetConfig {
  const keys = [
    "tap",
    "ip",
    "mask",
    "mac",
    "host_mac",
    "offload_tso",
    "offload_ufo",
    "offload_csum",
    "mtu",
    "queue_size",
    "num_queues",
    "vhost_user",
    "socket",
    "vhost_mode",
    "fd",
    ...LIMIT_KEYS,
    ...PCI_KEYS_IOMMU,
  ];
  const options = new Options(text, keys, wrap("ParseNetwork", "net"));
  return compact<types.NetConfig>({
    tap: options.get("tap"),
    ip: options.convert("ip", asIp),
    mask: options.convert("mask", asIp),
    mac: options.convert("mac", asMac) ?? randomMac(),
    host_mac: options.convert("host_mac", asMac),
    offload_tso: options.toggle("offload_tso", true),
    offload_ufo: options.toggle("offload_ufo", true),
    offload_csum: options.toggle("offload_csum", true),
    mtu: options.convert("mtu", asU16),
    queue_size: options.convert("queue_size", asU16) ?? 256,
    num_queues: options.convert("num_queues", asU64) ?? 2,
    vhost_user: options.toggle("vhost_user"),
    vhost_socket: options.get("socket"),
    vhost_mode:
      options.convert("vhost_mode", asWord({ client: "Client", server: "Server" } as const)) ??
      "Client",
    fds: options.convert("fd", asIntegers)?.map(Number),
    rate_limiter_config: rateLimiter(options),
    ...parsePci(text),
  });
}

export function parseRng(text: string): types.RngConfig {
  const options = new Options(text, ["src", ...PCI_KEYS_IOMMU], wrap("ParseRng", "rng"));
  return { ...parsePci(text), src: options.get("src") ?? "/dev/urandom" };
}

export function parseRtc(text: string): types.RtcConfig {
  const { text: checked } = new Options(text, PCI_KEYS_IOMMU, wrap("ParseRtc", "rtc"));
  return parsePci(checked);
}

export function parseBalloon(text: string): types.BalloonConfig {
  const keys = ["size", "deflate_on_oom", "free_page_reporting", ...PCI_KEYS_IOMMU];
  const options = new Options(text, keys, wrap("ParseBalloon", "balloon"));
  return {
    size: options.convert("size", asBytes) ?? 0,
    deflate_on_oom: options.toggle("deflate_on_oom"),
    free_page_reporting: options.toggle("free_page_reporting"),
    ...parsePci(text),
  };
}

export function parseFs(text: string): types.FsConfig {
  const options = new Options(
    text,
    ["tag", "queue_size", "num_queues", "socket", ...PCI_KEYS],
    wrap("ParseFileSystem", "fs"),
  );
  const tag = options.get("tag");
  if (tag === undefined) throw missing("ParseFsTagMissing", "Error parsing --fs: tag missing");
  if (Buffer.byteLength(tag) > 36)
    throw missing("ParseFsTagTooLong", "Error parsing --fs: max tag length is 36");
  const socket = options.get("socket");
  if (socket === undefined)
    throw missing("ParseFsSockMissing", "Error parsing --fs: socket missing");
  return {
    tag,
    socket,
    queue_size: options.convert("queue_size", asU16) ?? 1024,
    num_queues: options.convert("num_queues", asU64) ?? 1,
    ...parsePci(text),
  };
}

export function parseGenericVhostUser(text: string): types.GenericVhostUserConfig {
  const keys = ["device_type", "virtio_id", "queue_sizes", "socket", ...PCI_KEYS];
  const options = new Options(text, keys, wrap("ParseGenericVhostUser", "generic-vhost-user"));
  const lacks = (name: string, what: string) =>
    missing(name, `Error parsing --generic-vhost-user: ${what} missing`);
  const socket = options.get("socket");
  if (socket === undefined) throw lacks("ParseGenericVhostUserSockMissing", "socket");
  const small: Convert<number[]> = (value) => {
    const list = asIntegers(value);
    return list?.every((item) => item < 65_536) === true ? list.map(Number) : undefined;
  };
  const sizes = options.convert("queue_sizes", small);
  if (sizes === undefined) throw lacks("ParseGenericVhostUserQueueSizeMissing", "queue size");
  const type = options.get("device_type") ?? options.get("virtio_id");
  if (type === undefined) throw lacks("ParseGenericVhostUserVirtioIdMissing", "device_type");
  return { socket, queue_sizes: sizes, device_type: virtioDeviceType(type), ...parsePci(text) };
}

export function parsePmem(text: string): types.PmemConfig {
  const options = new Options(
    text,
    ["size", "file", "discard_writes", ...PCI_KEYS_IOMMU],
    wrap("ParsePersistentMemory", "pmem"),
  );
  const pci = parsePci(text);
  const file = options.get("file");
  if (file === undefined)
    throw missing("ParsePmemFileMissing", "Error parsing --pmem: file missing");
  return compact<types.PmemConfig>({
    file,
    size: options.convert("size", asBytes),
    discard_writes: options.toggle("discard_writes"),
    ...pci,
  });
}

export function parseDevice(text: string): types.DeviceConfig {
  const keys = ["path", "fd", ...PCI_KEYS_IOMMU, "x_nv_gpudirect_clique", "x_exclude_mmap_bars"];
  const options = new Options(text, keys, wrap("ParseDevice", "device"));
  return compact<types.DeviceConfig>({
    ...parsePci(text),
    path: options.get("path"),
    fd: options.convert("fd", asI32),
    x_nv_gpudirect_clique: options.convert("x_nv_gpudirect_clique", asU8),
    x_exclude_mmap_bars: options.convert<U64[]>("x_exclude_mmap_bars", asIntegers) ?? [],
  });
}

export function parseUserDevice(text: string): types.UserDeviceConfig {
  const options = new Options(
    text,
    ["socket", ...PCI_KEYS],
    wrap("ParseUserDevice", "user-device"),
  );
  const pci = parsePci(text);
  const socket = options.get("socket");
  if (socket === undefined)
    throw missing("ParseUserDeviceSocketMissing", "Error parsing --user-device: socket missing");
  return { ...pci, socket };
}

export function parseVdpa(text: string): types.VdpaConfig {
  const options = new Options(
    text,
    ["path", "num_queues", ...PCI_KEYS_IOMMU],
    wrap("ParseVdpa", "vdpa"),
  );
  const pci = parsePci(text);
  const path = options.get("path");
  if (path === undefined)
    throw missing("ParseVdpaPathMissing", "Error parsing --vdpa: path missing");
  return { ...pci, path, num_queues: options.convert("num_queues", asU64) ?? 1 };
}

export function parseVsock(text: string): types.VsockConfig {
  const options = new Options(
    text,
    ["socket", "cid", ...PCI_KEYS_IOMMU],
    wrap("ParseVsock", "vsock"),
  );
  const pci = parsePci(text);
  const socket = options.get("socket");
  if (socket === undefined)
    throw missing("ParseVsockSockMissing", "Error parsing --vsock: socket missing");
  const cid = options.convert("cid", asU32);
  if (cid === undefined)
    throw missing("ParseVsockCidMissing", "Error parsing --vsock: cid missing");
  return { ...pci, cid, socket };
}
