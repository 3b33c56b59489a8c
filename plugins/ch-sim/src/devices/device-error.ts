import { plainError, VmmError } from "../errors.ts";
import { VIRTIO_MEM_ALIGNMENT } from "../memory/memory-manager.ts";
import { quote } from "../json/content.ts";

/** What the device manager refuses. */
export const deviceErrors = {
  unknownId: (id: string) =>
    new VmmError(
      "UnknownDeviceId",
      `Failed to find device corresponding to the given identifier: ${id}`,
      undefined,
      `(${quote(id)})`,
    ),
  removalNotAllowed: (kind: string) =>
    new VmmError(
      "RemovalNotAllowed",
      `Not allowed to remove this type of device from the VM: ${kind}`,
      undefined,
      `(${kind})`,
    ),
  invalidId: (id: string) =>
    new VmmError("InvalidIdentifier", `Invalid identifier: ${id}`, undefined, `(${quote(id)})`),
  idNotUnique: (id: string) =>
    new VmmError(
      "IdentifierNotUnique",
      `Invalid identifier as it is not unique: ${id}`,
      undefined,
      `(${quote(id)})`,
    ),
  invalidIommuHotplug: () =>
    new VmmError("InvalidIommuHotplug", "Cannot hotplug device behind vIOMMU"),
  missingBalloon: () =>
    new VmmError("MissingVirtioBalloon", "Missing virtio-balloon, can't proceed as expected"),
  missingNode: () => new VmmError("MissingNode", "Could not find the node in the device tree"),
  missingAddress: () =>
    new VmmError("MissingDeviceNodePciBdf", "Missing PCI b/d/f from the DeviceNode"),
  allocateBars: (bytes: number) =>
    new VmmError(
      "AllocateBars",
      "Cannot allocate PCI BARs",
      new VmmError(
        "IoAllocationFailed",
        `Allocating space for an IO BAR failed: ${bytes}`,
        undefined,
        `(${bytes})`,
      ),
    ),
  allocateSlot: (source: VmmError) =>
    new VmmError("AllocatePciDeviceId", "Failed to find an available PCI device ID", source),
  reserveSlot: (source: VmmError) =>
    new VmmError("ReservePciDeviceId", "Could not reserve the PCI device ID", source),
  lock: (source: VmmError) =>
    new VmmError("DiskLockError", "Cannot lock images of all block devices", source),
  disk: (source: VmmError) =>
    source.name === "BlockError" ? new VmmError("Disk", "Cannot open disk path", source) : source,
  diskResize: (source: VmmError) => new VmmError("DiskResize", "Disk resize error", source),
  userSocketInUse: (path: string) =>
    new VmmError(
      "UserDeviceSocketInUse",
      `VFIO-user socket path already in use: ${quote(path)}`,
      undefined,
      `(${quote(path)})`,
    ),
  pmemOpen: (source: VmmError) =>
    new VmmError("PmemFileOpen", "Cannot open persistent memory file", source),
  pmemDirectory: () =>
    new VmmError(
      "PmemWithDirectorySizeMissing",
      "Trying to use a directory for pmem but no size specified",
    ),
  pmemAlignment: () =>
    new VmmError("PmemSizeNotAligned", "Trying to use a size that is not multiple of 2MiB"),
  pmemRange: () =>
    new VmmError("PmemRangeAllocation", "Cannot find a memory range for persistent memory"),
  pmemResources: () =>
    new VmmError(
      "MissingVirtioPmemResources",
      "Expected resources for virtio-pmem could not be found",
    ),
  rngSource: (source: VmmError) =>
    new VmmError("CreateVirtioRng", "Cannot create virtio-rng device", source),
  vfio: (source: VmmError) => new VmmError("VfioCreate", "Cannot create a VFIO device", source),
  vfioUserClient: (source: VmmError) =>
    new VmmError("VfioUserCreateClient", "Failed to create vfio-user client", source),
  virtioMemSize: () =>
    new VmmError(
      "CreateVirtioMem",
      "Cannot create virtio-mem device",
      plainError(`Virtio-mem size is not aligned with ${VIRTIO_MEM_ALIGNMENT}`),
    ),
  vdpa: (source: VmmError) => new VmmError("CreateVdpa", "Cannot create vdpa device", source),
  vsock: (source: VmmError) =>
    new VmmError(
      "CreateVsockBackend",
      "Cannot create virtio-vsock backend",
      new VmmError("UnixBind", "Error binding to the host-side Unix socket", source),
    ),
  vhostUser: (kind: "fs" | "blk" | "net" | "generic", source: VmmError) => {
    const names = {
      fs: ["CreateVirtioFs", "Cannot create virtio-fs device"],
      blk: ["CreateVhostUserBlk", "Cannot create vhost-user-blk device"],
      net: ["CreateVhostUserNet", "Cannot create vhost-user-net device"],
      generic: ["CreateGenericVhostUser", "Cannot create generic vhost-user device"],
    } as const;
    const [name, message] = names[kind];
    return new VmmError(name, message, source);
  },
  missingState: (source: VmmError) =>
    new VmmError("RestoreGetState", "Failed retrieving device state from snapshot", source),
} as const;
