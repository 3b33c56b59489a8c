import type { VfioData } from "@silkvm/vfio";
import { memoryLockLimit } from "@silkvm/vfio";
import { addDevice, type Pluggable } from "./hot-plug.ts";
import { QmpError } from "./qmp/errors.ts";

/** PCI devices of the host. One is bound to vfio-pci, and nobody else has its group. */
export const vfioPlug: Pluggable<VfioData> = {
  async add(monitor, vm, { id, data, port }, options) {
    try {
      await addDevice(monitor, { driver: "vfio-pci", id, host: data.pci, bus: port }, options);
    } catch (error) {
      const isLimit =
        error instanceof QmpError && /vfio.*Cannot allocate memory/i.test(error.message);
      throw isLimit ? memoryLockLimit(vm) : error;
    }
  },
  afterwards: async () => [],
};
