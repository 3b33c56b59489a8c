import { VmmError } from "../errors.ts";

/** What can go wrong with a guest's memory. */
export const memoryErrors = {
  missingZones: () => new VmmError("MissingMemoryZones", "No memory zones found"),
  invalidParameters: () =>
    new VmmError("InvalidMemoryParameters", "Memory configuration is not valid"),
  misaligned: () =>
    new VmmError(
      "MisalignedMemorySize",
      "Memory size is misaligned with default page size or its hugepage size",
    ),
  duplicateZone: () => new VmmError("DuplicateZoneId", "Memory zone identifier is not unique"),
  statFileSystem: (source: VmmError) =>
    new VmmError("GetFileSystemBlockSize", "Failed to stat filesystem", source),
  sharedNuma: () =>
    new VmmError(
      "InvalidSharedMemoryZoneWithHostNuma",
      "Invalid to try applying a NUMA policy to a memory zone that is memory mapped with MAP_SHARED",
    ),
  hotplugMethodWithZones: () =>
    new VmmError(
      "InvalidHotplugMethodWithMemoryZones",
      "Invalid hotplug method associated with memory zones resizing capability",
    ),
  hotplugSize: () =>
    new VmmError("InvalidHotplugSize", "Invalid size for resizing. Can be anything except 0"),
  directoryAsFile: () =>
    new VmmError(
      "DirectoryAsBackingFileForMemory",
      "Using a directory as a backing file for memory is not supported",
    ),
  openFile: (source: VmmError) =>
    new VmmError("SharedFileCreate", "Failed to create shared file", source),
  map: (source: VmmError) =>
    new VmmError(
      "GuestMemoryRegion",
      "Error from region creation",
      new VmmError("Mmap", source.message, source),
    ),
  resizeWithZones: () =>
    new VmmError(
      "InvalidResizeWithMemoryZones",
      "Impossible to resize guest memory if it is backed by user defined memory regions",
    ),
  belowBootSize: (desired: bigint, boot: bigint) =>
    new VmmError(
      "InvalidResizeBelowBootSize",
      `Invalid resize request: desired_size = ${desired} below boot size = ${boot}`,
      undefined,
      `(${desired}, ${boot})`,
    ),
  noSlot: () => new VmmError("NoSlotAvailable", "No ACPI slot available"),
  invalidSize: () =>
    new VmmError("InvalidSize", "The requested hotplug memory addition is not a valid size"),
  insufficientHotplug: () =>
    new VmmError("InsufficientHotplugRam", "Not enough space in the hotplug RAM region"),
  resizeZone: () => new VmmError("ResizeZone", "Resizing the memory zone failed"),
  virtioMemResize: (source: VmmError) =>
    new VmmError("VirtioMemResizeFail", "Failed to virtio-mem resize", source),
  missingVirtioMem: () =>
    new VmmError("MissingVirtioMemHandler", "No virtio-mem resizing handler found"),
  snapshotOpen: (source: VmmError) =>
    new VmmError("SnapshotOpen", "Error opening snapshot file", source),
  userRegion: (source: VmmError) =>
    new VmmError(
      "CreateUserMemoryRegion",
      "Failed to create the user memory region",
      new VmmError("CreateUserMemory", "Failed to create user memory", source),
    ),
  allocation: () => new VmmError("MemoryRangeAllocation", "Failed to allocate a memory range"),
} as const;

/** The same, as the VM reports it. */
export function memoryManagerError(source: VmmError): VmmError {
  return new VmmError("MemoryManager", "Memory manager error", source);
}
