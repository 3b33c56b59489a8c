import { closeSync, constants, openSync } from "node:fs";

import type * as types from "../config/types.ts";
import { fromNode } from "../errors.ts";
import { VIRTIO_MEM_ALIGNMENT } from "../memory/memory-manager.ts";
import { deviceErrors } from "./device-error.ts";
import {
  type DeviceContext,
  makeDisk,
  makeFs,
  makeGenericVhostUser,
  makeNet,
  makePmem,
  makeVdpa,
  makeVsock,
  plainDevice,
} from "./makers.ts";
import * as states from "./states.ts";
import type { VirtioDevice } from "./virtio-device.ts";

type ListKey = "disks" | "net" | "fs" | "generic_vhost_user" | "pmem" | "vdpa";
type Item<K extends ListKey> = NonNullable<types.VmConfig[K]>[number];

/**
 * Makes the devices of one list. Like the real program, it takes the list out of the config meanwhile: where a device fails,
 * the config has lost it.
 */
function list<K extends ListKey>(
  key: K,
  make: (context: DeviceContext, item: Item<K>) => Promise<VirtioDevice>,
) {
  return async (context: DeviceContext): Promise<VirtioDevice[]> => {
    const items = context.config[key] as Item<K>[] | undefined;
    if (items === undefined) return [];
    delete context.config[key];
    const devices: VirtioDevice[] = [];
    try {
      for (const item of items) devices.push(await make(context, item));
    } catch (error) {
      for (const device of devices) device.close();
      throw error;
    }
    context.config[key] = items as never;
    return devices;
  };
}

/** The makers of all devices that a boot may need, in the order that decides names and slots. */
export const BOOT_ORDER: readonly ((context: DeviceContext) => Promise<VirtioDevice[]>)[] = [
  list("disks", (context, config) => makeDisk(context, config, false)),
  list("net", makeNet),
  async (context) => [makeRng(context)],
  list("generic_vhost_user", makeGenericVhostUser),
  list("fs", makeFs),
  list("pmem", makePmem),
  async (context) => {
    const { vsock } = context.config;
    if (vsock === undefined) return [];
    delete context.config.vsock;
    const device = await makeVsock(context, vsock);
    context.config.vsock = vsock;
    return [device];
  },
  async (context) =>
    context.memory.virtioMemZones.map(({ id, roomBytes }) => {
      if (roomBytes % VIRTIO_MEM_ALIGNMENT !== 0n) throw deviceErrors.virtioMemSize();
      return plainDevice(context, "mem", id, { pci_segment: 0 });
    }),
  async (context) => {
    const { balloon } = context.config;
    if (balloon === undefined) return [];
    return [
      plainDevice(context, "balloon", "__balloon", balloon, () => states.balloonState(balloon)),
    ];
  },
  async (context) =>
    context.config.watchdog
      ? [plainDevice(context, "watchdog", "__watchdog", { pci_segment: 0 }, states.watchdogState)]
      : [],
  list("vdpa", makeVdpa),
  async (context) => {
    const { rtc } = context.config;
    return rtc === undefined ? [] : [plainDevice(context, "rtc", "__rtc", rtc)];
  },
];

function makeRng(context: DeviceContext): VirtioDevice {
  const { rng } = context.config;
  try {
    closeSync(openSync(rng.src, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch (error) {
    throw deviceErrors.rngSource(fromNode(error));
  }
  return plainDevice(context, "rng", "__rng", rng);
}
