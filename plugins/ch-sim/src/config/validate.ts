import { existsSync } from "node:fs";

import type { U64 } from "../json/content.ts";
import { validateMachine, validateNuma } from "./validate-machine.ts";
import { validateDisk, validateNet, validatePci, validateQueueSize } from "./validate-devices.ts";
import type * as types from "./types.ts";
import { validationErrors } from "./validation-errors.ts";

/** The memory that a config adds up to, in bytes. */
export function totalMemory(memory: types.MemoryConfig): bigint {
  const zones = (memory.zones ?? []).reduce((sum, zone) => sum + BigInt(zone.size), 0n);
  return BigInt(memory.size) + zones + hotpluggedMemory(memory);
}

/** The part of it that was added after boot. */
export function hotpluggedMemory(memory: types.MemoryConfig): bigint {
  const zones = (memory.zones ?? []).reduce(
    (sum, zone) => sum + BigInt(zone.hotplugged_size ?? 0),
    0n,
  );
  return BigInt(memory.hotplugged_size ?? 0) + zones;
}

/** Whether another process can map the guest's memory, which vhost-user needs. */
export function isShared({ memory }: types.VmConfig): boolean {
  if (memory.shared || memory.hugepages) return true;
  return (
    BigInt(memory.size) === 0n &&
    (memory.zones ?? []).every((zone) => zone.shared || zone.hugepages)
  );
}

/**
 * Checks a config as the real program does before each boot, restore and hot-plug, in the same order, so that of several
 * faults the same one is told. Returns the ids that the config names. Changes the config where the real program does:
 * what firmware ignores is dropped, and `iommu` is set where a device asks for it. Throws a VmmError.
 */
export function validateConfig(config: types.VmConfig): Set<string> {
  const ids = new Set<string>();
  const claim = (id: string | undefined): void => {
    if (id === undefined) return;
    if (id.startsWith("__")) throw validationErrors.idInvalid(id);
    if (ids.has(id)) throw validationErrors.idNotUnique(id);
    ids.add(id);
  };
  const needIommu = (device: types.PciCommon): void => {
    if (device.iommu === true) config.iommu = true;
  };

  validatePayload(config);
  if (config.console.mode === "File" && config.console.file === undefined)
    throw validationErrors.consoleFileMissing();
  if (config.serial.mode === "File" && config.serial.file === undefined)
    throw validationErrors.consoleFileMissing();
  const { boot_vcpus: boot, max_vcpus: max } = config.cpus;
  if (max < boot) throw validationErrors.maxBelowBoot(max, boot);
  if (max > 8192) throw validationErrors.tooManyCpus(max);

  for (const group of config.rate_limit_groups ?? []) {
    const { bandwidth, ops } = group.rate_limiter_config;
    if ((bandwidth === null && ops === null) || group.id === "")
      throw validationErrors.rateLimitGroup();
    claim(group.id);
  }
  for (const disk of config.disks ?? []) {
    validateDisk(disk, config);
    needIommu(disk);
    claim(disk.id);
  }
  for (const net of config.net ?? []) {
    validateNet(net, config);
    needIommu(net);
    claim(net.id);
  }
  const fses = config.fs ?? [];
  if (fses.length > 0 && !isShared(config)) throw validationErrors.vhostUserNeedsShared();
  for (const fs of fses) {
    validateFs(fs, config);
    claim(fs.id);
  }
  const vhostUser = config.generic_vhost_user ?? [];
  if (vhostUser.length > 0 && !isShared(config)) throw validationErrors.vhostUserNeedsShared();
  for (const device of vhostUser) {
    if (device.iommu === true) throw validationErrors.iommuNotSupported();
    for (const size of device.queue_sizes) validateQueueSize(size);
    validatePci(device, config);
    claim(device.id);
  }
  for (const device of [
    ...(config.pmem ?? []),
    config.rng,
    ...(config.rtc === undefined ? [] : [config.rtc]),
    config.console,
  ]) {
    validatePci(device, config);
    needIommu(device);
    claim(device.id);
  }
  validateMachine(config);
  const userDevices = config.user_devices ?? [];
  if (userDevices.length > 0 && !isShared(config)) throw validationErrors.userDevicesNeedShared();
  for (const device of userDevices) {
    if (device.iommu === true) throw validationErrors.iommuNotSupported();
    validatePci(device, config);
    claim(device.id);
  }
  for (const device of config.vdpa ?? []) {
    validatePci(device, config);
    needIommu(device);
    claim(device.id);
  }
  if (config.vsock !== undefined && [0xffff_ffff, 0, 1, 2].includes(config.vsock.cid)) {
    throw validationErrors.specialCid(config.vsock.cid);
  }
  if (config.balloon !== undefined) {
    validatePci(config.balloon, config);
    claim(config.balloon.id);
    needIommu(config.balloon);
    const ram = totalMemory(config.memory);
    if (BigInt(config.balloon.size) >= ram)
      throw validationErrors.balloonTooLarge(config.balloon.size, ram);
  }
  const paths = new Set<string>();
  for (const device of config.devices ?? []) {
    if (device.path !== undefined && paths.has(device.path))
      throw validationErrors.duplicatePath(device.path);
    if (device.path !== undefined) paths.add(device.path);
    validateDevice(device, config);
    needIommu(device);
    claim(device.id);
  }
  if (config.vsock !== undefined) {
    validatePci(config.vsock, config);
    needIommu(config.vsock);
    claim(config.vsock.id);
  }
  validateNuma(config);
  for (const zone of config.memory.zones ?? []) claim(zone.id);
  validatePlatform(config);
  for (const rule of config.landlock_rules ?? []) validateLandlockRule(rule);
  return ids;
}

function validatePayload({ payload }: types.VmConfig): void {
  if (payload === undefined || (payload.firmware === undefined && payload.kernel === undefined)) {
    throw validationErrors.payload(
      "MissingBootitem",
      "No bootitem provided: neither firmware nor kernel",
    );
  }
  if (payload.firmware === undefined) return;
  if (payload.kernel !== undefined) {
    const message = "Specifying a kernel is not supported when a firmware is provided";
    throw validationErrors.payload("FirmwarePlusOtherPayloads", message);
  }
  delete payload.cmdline;
  delete payload.initramfs;
}

function validateFs(fs: types.FsConfig, config: types.VmConfig): void {
  const boot = config.cpus.boot_vcpus;
  if (fs.num_queues > boot) throw validationErrors.tooManyQueues(fs.num_queues, boot);
  validateQueueSize(fs.queue_size);
  if (fs.iommu === true) throw validationErrors.iommuNotSupported();
  validatePci(fs, config);
}

function validateDevice(device: types.DeviceConfig, config: types.VmConfig): void {
  validatePci(device, config);
  if (device.path === undefined && device.fd === undefined) throw validationErrors.deviceNeither();
  if (device.path !== undefined && device.fd !== undefined) throw validationErrors.deviceBoth();
  if (device.fd !== undefined && config.platform?.iommufd_fd === undefined)
    throw validationErrors.deviceFdNeedsIommufd();
  if (device.x_nv_gpudirect_clique !== undefined && config.platform?.vfio_p2p_dma === false) {
    throw validationErrors.cliqueNeedsP2p();
  }
  for (const bar of device.x_exclude_mmap_bars)
    if (bar > 5) throw validationErrors.excludedBar(bar);
}

function validatePlatform(config: types.VmConfig): void {
  const segments = config.platform?.num_pci_segments ?? 1;
  for (const segment of config.pci_segments ?? []) {
    if (segment.pci_segment >= segments) throw validationErrors.segment(segment.pci_segment);
    for (const weight of [segment.mmio32_aperture_weight, segment.mmio64_aperture_weight]) {
      if (weight === 0) throw validationErrors.apertureWeight(weight);
    }
  }
  const { platform } = config;
  if (platform === undefined) return;
  if (segments === 0 || segments > 96) throw validationErrors.segmentCount(segments);
  for (const segment of platform.iommu_segments ?? [])
    if (segment >= segments) throw validationErrors.segment(segment);
  if (platform.iommu_address_width_bits > 64)
    throw validationErrors.iommuWidth(platform.iommu_address_width_bits);
  if (platform.iommufd_fd !== undefined && !platform.iommufd) throw validationErrors.iommufdFd();
  if (platform.iommu_segments !== undefined) config.iommu = true;
}

function validateLandlockRule({ path, access }: types.LandlockRule): void {
  if (!existsSync(path)) throw validationErrors.landlockPath(path);
  if (access === "")
    throw validationErrors.landlockAccess("Invalid Landlock access: Access cannot be empty");
  const wrong = /[^rw]/u.exec(access)?.[0];
  if (wrong !== undefined)
    throw validationErrors.landlockAccess(`Invalid Landlock access: Invalid access: ${wrong}`);
}

/** Whether a size is a power of two. */
export function isPowerOfTwo(value: U64): boolean {
  const big = BigInt(value);
  return big > 0n && (big & (big - 1n)) === 0n;
}
