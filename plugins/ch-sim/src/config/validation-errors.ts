import { VmmError } from "../errors.ts";
import { quote, type U64 } from "../json/content.ts";

function error(name: string, message: string, ...values: readonly (string | U64)[]): VmmError {
  const shown = values.map((value) => (typeof value === "string" ? quote(value) : String(value)));
  return new VmmError(name, message, undefined, shown.length === 0 ? "" : `(${shown.join(", ")})`);
}

/** What can be wrong with a config whose types are right. */
export const validationErrors = {
  consoleFileMissing: () =>
    error("ConsoleFileMissing", "Path missing when using file console mode"),
  consoleSocketMissing: () =>
    error("ConsoleSocketPathMissing", "Path missing when using socket console mode"),
  maxBelowBoot: (max: number, boot: number) =>
    error("CpusMaxLowerThanBoot", `Max CPUs (${max}) lower than boot CPUs (${boot})`, max, boot),
  tooManyCpus: (count: number) =>
    error("TooManyCpus", `Too many CPUs: specified ${count} but 8192 is the limit`, count),
  diskSocketAndPath: () => error("DiskSocketAndPath", "Disk path and vhost socket both provided"),
  vhostUserNeedsShared: () =>
    error(
      "VhostUserRequiresSharedMemory",
      "Using vhost-user requires using shared memory or huge pages",
    ),
  vhostUserNeedsSocket: () =>
    error("VhostUserMissingSocket", "No socket provided when using vhost-user"),
  topologyCount: () =>
    error("CpuTopologyCount", "Product of CPU topology parts does not match maximum vCPU"),
  topologyThreads: () =>
    error("CpuTopologyThreadsPerCore", "CPU topology supports at most 2 threads per core"),
  topologyZero: () => error("CpuTopologyZeroPart", "No part of the CPU topology can be zero"),
  netQueuesBelowTwo: (count: U64) =>
    error(
      "VnetQueueLowerThan2",
      `Number of queues (${count}) to virtio_net should be higher than 2`,
      count,
    ),
  netQueuesFds: (queues: U64, fds: number) =>
    error(
      "VnetQueueFdMismatch",
      `Number of queues (${queues}) to virtio_net does not match the number of FDs (${fds})`,
      queues,
      fds,
    ),
  netReservedFd: (fd: number) => error("VnetReservedFd", `Reserved fd number (<= 2): ${fd}`, fd),
  noChecksumOffload: () =>
    error("NoHardwareChecksumOffload", '"offload_tso" and "offload_ufo" depend on "offload_csum"'),
  hugepageSizeAlone: () =>
    error("HugePageSizeWithoutHugePages", "Huge page size specified but huge pages not enabled"),
  hugepageSize: (size: U64) =>
    error("InvalidHugePageSize", `Huge page size is not power of 2: ${size}`, size),
  tooManyQueues: (queues: U64, vcpus: number) =>
    error(
      "TooManyQueues",
      `Queue count (${queues}) must not exceed boot vCPUs (${vcpus})`,
      queues,
      vcpus,
    ),
  queueSize: (size: number) =>
    error(
      "InvalidQueueSize",
      `Queue size must be a power of 2 no greater than 32768: ${size}`,
      size,
    ),
  blockQueueTooSmall: (size: number) =>
    error("BlockQueueSizeTooSmall", `Block queue size must be greater than 2: ${size}`, size),
  userDevicesNeedShared: () =>
    error(
      "UserDevicesRequireSharedMemory",
      "Using user devices requires using shared memory or huge pages",
    ),
  specialCid: (cid: number) => error("VsockSpecialCid", `${cid} is a special VSOCK CID`, cid),
  zoneReused: (zone: string, first: number, second: number) =>
    error(
      "MemoryZoneReused",
      `Memory zone: ${zone} belongs to multiple NUMA nodes: ${first} and ${second}`,
      zone,
      first,
      second,
    ),
  segmentCount: (count: number) =>
    error(
      "InvalidNumPciSegments",
      `Number of PCI segments (${count}) not in range of 1 to 96`,
      count,
    ),
  segment: (id: number) => error("InvalidPciSegment", `Invalid PCI segment id: ${id}`, id),
  apertureWeight: (weight: number) =>
    error(
      "InvalidPciSegmentApertureWeight",
      `Invalid PCI segment aperture weight: ${weight}`,
      weight,
    ),
  excludedBar: (bar: U64) =>
    error("InvalidDeviceExcludeMmapBar", `Invalid VFIO excluded-mmap BAR index: ${bar}`, bar),
  iommuWidth: (bits: number) =>
    error(
      "InvalidIommuAddressWidthBits",
      `IOMMU address width in bits (${bits}) should be less than or equal to 64`,
      bits,
    ),
  balloonTooLarge: (size: U64, ram: U64) =>
    error("BalloonLargerThanRam", `Balloon size (${size}) greater than RAM (${ram})`, size, ram),
  onIommuSegment: (segment: number) =>
    error(
      "OnIommuSegment",
      `Device is on an IOMMU PCI segment (${segment}) but not placed behind IOMMU`,
      segment,
    ),
  cliqueNeedsP2p: () =>
    error(
      "GpuDirectCliqueRequiresP2pDma",
      "Device with x_nv_gpudirect_clique requires vfio_p2p_dma=on",
    ),
  idNotUnique: (id: string) => error("IdentifierNotUnique", `Identifier ${id} is not unique`, id),
  idInvalid: (id: string) => error("InvalidIdentifier", `Identifier ${id} is not invalid`, id),
  iommuNotSupported: () =>
    error("IommuNotSupported", "Device does not support being placed behind IOMMU"),
  duplicatePath: (path: string) =>
    error("DuplicateDevicePath", `Duplicated device path: ${path}`, path),
  deviceNeither: () =>
    error("VfioDeviceNeitherPathNorFd", "VFIO device config must specify `path=` or `fd=`"),
  deviceBoth: () =>
    error(
      "VfioDeviceBothPathAndFd",
      "VFIO device config must specify at most one of `path=` or `fd=`",
    ),
  deviceFdNeedsIommufd: () =>
    error("VfioFdRequiresIommufdFd", "VFIO device `fd=` requires platform `iommufd_fd=<fd>`"),
  iommufdFd: () =>
    error("IommufdFdRequiresIommufd", "Platform `iommufd_fd=<fd>` requires `iommufd=on`"),
  mtu: (mtu: number) =>
    error(
      "InvalidMtu",
      `Provided MTU ${mtu} is lower than 1280 (expected by VIRTIO specification)`,
      mtu,
    ),
  segmentReused: (segment: number, first: number, second: number) =>
    error(
      "PciSegmentReused",
      `PCI segment: ${segment} belongs to multiple NUMA nodes ${first} and ${second}`,
      segment,
      first,
      second,
    ),
  defaultSegmentNode: (node: number) =>
    error(
      "DefaultPciSegmentInvalidNode",
      `Default PCI segment assigned to non-zero NUMA node ${node}`,
      node,
    ),
  rateLimitGroup: () => error("InvalidRateLimiterGroup", "Invalid rate-limiter group"),
  vhostUserRateLimit: () =>
    error("VhostUserRateLimiterNotSupported", "Rate limiting is not supported with vhost-user"),
  invalidIoPortHex: (port: string) =>
    error(
      "InvalidIoPortHex",
      `The IO port was not properly provided in hex or a \`0x\` prefix is missing: ${port}`,
      port,
    ),
  restoreNetId: (id: string) =>
    error("RestoreMissingRequiredNetId", `Net id ${id} is associated with FDs and is required`, id),
  restoreNetFds: (id: string, given: U64, expected: number) =>
    error(
      "RestoreNetFdCountMismatch",
      `Number of Net FDs passed for '${id}' during Restore: ${given}. Expected: ${expected}`,
      id,
      given,
      expected,
    ),
  prefaultOnDemand: () =>
    error(
      "InvalidRestorePrefaultWithOnDemand",
      "'prefault' cannot be combined with 'memory_restore_mode=ondemand'",
    ),
  landlockPath: (path: string) =>
    error(
      "LandlockPathDoesNotExist",
      `Path ${quote(path)} provided in landlock-rules does not exist`,
      path,
    ),
  landlockAccess: (access: string) =>
    error("InvalidLandlockAccess", `Invalid landlock access: ${access}`, access),
  serialLength: (length: number) =>
    error(
      "InvalidSerialLength",
      `Block device serial length (${length}) exceeds maximum allowed length (20)`,
      length,
      20,
    ),
  payload: (name: string, message: string) =>
    new VmmError(
      "PayloadError",
      "Payload configuration is not bootable",
      new VmmError(name, message),
    ),
  maskWithoutIp: () => error("MaskProvidedWithoutIp", "Mask provided without an IP"),
  ipWithoutMask: () => error("IpProvidedWithoutMask", "IP provided without a mask"),
  numa: (reason: string) =>
    error("InvalidNumaConfig", `Invalid NUMA configuration: ${reason}`, reason),
  pciDeviceId: (id: number) =>
    error(
      "InvalidPciDeviceId",
      `Given PCI device ID (${id}) is out of the supported range of 0..32`,
      id,
    ),
  reservedPciDeviceId: (id: number) =>
    error("ReservedPciDeviceId", `Given PCI device ID (${id}) is reserved`, id),
  sharedMergeable: () =>
    error(
      "InvalidSharedMemoryWithMergeable",
      "Invalid to set both 'mergeable' and 'shared' for memory",
    ),
} as const;
