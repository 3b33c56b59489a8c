import { ChApiError } from "@silkvm/ch-client";
import type { VfioData } from "@silkvm/vfio";
import type { AddDevice } from "./hot-plug.ts";
import type { Machine } from "./machine.ts";
import { isUnmapped, rememberUnmapped, unmappedError } from "./vfio-unmapped.ts";
import { vfioFailure } from "./vfio-failure.ts";

/** Hands a PCI device of the host over to a VM that runs. It is bound to vfio-pci, and nobody else has its group. */
export function addVfio(machine: Machine): AddDevice<VfioData> {
  return async (client, vm, { id, data }, options) => {
    if (await isUnmapped(machine, vm)) throw unmappedError(vm);
    try {
      return await client.vm.addDevice({ path: `/sys/bus/pci/devices/${data.pci}/`, id }, options);
    } catch (error) {
      if (!ChApiError.is(error)) throw error;
      await rememberUnmapped(machine, vm, client, error);
      throw vfioFailure(vm, data, error) ?? error;
    }
  };
}
