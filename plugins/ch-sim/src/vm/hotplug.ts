import type * as types from "../config/types.ts";
import type { DeviceManager, PciDeviceInfo } from "../devices/device-manager.ts";
import * as makers from "../devices/makers.ts";

/** The kinds of devices that the API can add, by the key of their list in the config. */
export interface Addable {
  readonly disks: types.DiskConfig;
  readonly net: types.NetConfig;
  readonly fs: types.FsConfig;
  readonly generic_vhost_user: types.GenericVhostUserConfig;
  readonly pmem: types.PmemConfig;
  readonly vdpa: types.VdpaConfig;
  readonly devices: types.DeviceConfig;
  readonly user_devices: types.UserDeviceConfig;
}

/** Appends a device to its list in a config. */
export function push<K extends keyof Addable>(
  config: types.VmConfig,
  key: K,
  device: Addable[K],
): void {
  const list = (config[key] ?? []) as Addable[K][];
  list.push(device);
  (config as unknown as Record<string, unknown>)[key] = list;
}

/** Makes a device of one kind while the VM runs. */
export const HOTPLUG: {
  readonly [K in keyof Addable]: (
    devices: DeviceManager,
    device: Addable[K],
  ) => Promise<PciDeviceInfo>;
} = {
  disks: (devices, disk) => devices.hotplug(disk, () => makers.makeDisk(devices, disk, true)),
  net: (devices, net) => devices.hotplug(net, () => makers.makeNet(devices, net)),
  fs: (devices, fs) => devices.hotplug(fs, () => makers.makeFs(devices, fs)),
  generic_vhost_user: (devices, device) =>
    devices.hotplug(device, () => makers.makeGenericVhostUser(devices, device)),
  pmem: (devices, pmem) => devices.hotplug(pmem, () => makers.makePmem(devices, pmem)),
  vdpa: (devices, vdpa) => devices.hotplug(vdpa, () => makers.makeVdpa(devices, vdpa)),
  devices: (devices, device) => devices.hotplugPassthrough(device, () => devices.addVfio(device)),
  user_devices: (devices, device) =>
    devices.hotplugPassthrough(device, () => devices.addUserDevice(device, true)),
};
