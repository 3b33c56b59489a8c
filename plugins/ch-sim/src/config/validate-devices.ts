import type * as types from "./types.ts";
import { isShared } from "./validate.ts";
import { validationErrors } from "./validation-errors.ts";

/** Where a device may sit. */
export function validatePci(device: types.PciCommon, { platform }: types.VmConfig): void {
  if (device.pci_segment >= (platform?.num_pci_segments ?? 1))
    throw validationErrors.segment(device.pci_segment);
  if (platform?.iommu_segments?.includes(device.pci_segment) === true && device.iommu !== true) {
    throw validationErrors.onIommuSegment(device.pci_segment);
  }
  const id = device.pci_device_id;
  if (id === undefined) return;
  if (id >= 32) throw validationErrors.pciDeviceId(id);
  if (id === 0) throw validationErrors.reservedPciDeviceId(id);
}

/** A queue's size is a power of two. */
export function validateQueueSize(size: number): void {
  if (size === 0 || (size & (size - 1)) !== 0) throw validationErrors.queueSize(size);
}

export function validateDisk(disk: types.DiskConfig, config: types.VmConfig): void {
  if (disk.vhost_socket !== undefined && disk.path !== undefined)
    throw validationErrors.diskSocketAndPath();
  if (disk.vhost_user && !isShared(config)) throw validationErrors.vhostUserNeedsShared();
  if (disk.vhost_user && disk.vhost_socket === undefined)
    throw validationErrors.vhostUserNeedsSocket();
  const limited = disk.rate_limiter_config !== undefined;
  const grouped = disk.rate_limit_group !== undefined;
  if (disk.vhost_user && (limited || grouped)) throw validationErrors.vhostUserRateLimit();
  if (
    grouped &&
    !(config.rate_limit_groups ?? []).some((group) => group.id === disk.rate_limit_group)
  ) {
    throw validationErrors.rateLimitGroup();
  }
  validatePci(disk, config);
  const boot = config.cpus.boot_vcpus;
  if (disk.num_queues > boot) throw validationErrors.tooManyQueues(disk.num_queues, boot);
  validateQueueSize(disk.queue_size);
  if (disk.queue_size <= 2) throw validationErrors.blockQueueTooSmall(disk.queue_size);
  if (disk.vhost_user && disk.iommu === true) throw validationErrors.iommuNotSupported();
  if (limited && grouped) throw validationErrors.rateLimitGroup();
  const length = Buffer.byteLength(disk.serial ?? "");
  if (length > 20) throw validationErrors.serialLength(length);
}

export function validateNet(net: types.NetConfig, config: types.VmConfig): void {
  if (net.vhost_user && !isShared(config)) throw validationErrors.vhostUserNeedsShared();
  if (net.vhost_user && net.vhost_socket === undefined)
    throw validationErrors.vhostUserNeedsSocket();
  if (net.vhost_user && net.rate_limiter_config !== undefined)
    throw validationErrors.vhostUserRateLimit();
  validatePci(net, config);
  if (net.num_queues < 2) throw validationErrors.netQueuesBelowTwo(net.num_queues);
  if (net.fds !== undefined) {
    const queues = net.fds.length * 2;
    if (BigInt(queues) !== BigInt(net.num_queues))
      throw validationErrors.netQueuesFds(net.num_queues, queues);
    for (const fd of net.fds) if (fd <= 2) throw validationErrors.netReservedFd(fd);
  }
  const boot = config.cpus.boot_vcpus;
  if (BigInt(net.num_queues) / 2n > boot)
    throw validationErrors.tooManyQueues(net.num_queues, boot);
  validateQueueSize(net.queue_size);
  if (net.vhost_user && net.iommu === true) throw validationErrors.iommuNotSupported();
  if (net.mtu !== undefined && net.mtu < 1280) throw validationErrors.mtu(net.mtu);
  if (!net.offload_csum && (net.offload_tso || net.offload_ufo))
    throw validationErrors.noChecksumOffload();
  if (net.mask !== undefined && net.ip === undefined) throw validationErrors.maskWithoutIp();
  if (net.ip !== undefined && net.mask === undefined) throw validationErrors.ipWithoutMask();
}
