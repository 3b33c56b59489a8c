import { isVmmEnding, type VmInfo } from "@silkvm/ch-client";
import {
  type NetResize,
  type Nic,
  type OperationContext,
  recordedVmm,
  type VmmNic,
  type VmRecord,
} from "@silkvm/core";
import { openWaitingClient } from "./client.ts";
import { fromVmm } from "./from-vmm.ts";
import { hotPlugOf } from "./hot-plug.ts";
import type { Machine } from "./machine.ts";
import { toNetConfig } from "./vm-config.ts";

/** The NICs of a VM that runs, added to its VMM and taken away over its API. */
export function netResizeOf(machine: Machine): NetResize {
  const plug = hotPlugOf<{ readonly nic: Nic }>(machine, (client, vm, { id, data }, options) =>
    client.vm.addNet({ ...toNetConfig(data.nic, vm.config.netQueueSize), id }, options),
  );
  return {
    add: async (vm, { deviceId, nic }, context) =>
      void (await plug.add(vm, { id: deviceId, data: { nic } }, context)),
    remove: (vm, deviceId, context) => plug.remove(vm, deviceId, context),
    isPresent: (vm, deviceId, context) => plug.isPresent(vm, deviceId, context),
    list: (vm, context) => listNics(machine, vm, context),
  };
}

/** The VMM's configuration forgets a NIC as soon as its guest is asked to let go of it. */
async function listNics(
  machine: Machine,
  vm: VmRecord,
  { signal }: OperationContext,
): Promise<readonly VmmNic[]> {
  await using client = openWaitingClient(machine, vm);
  try {
    return nicsOf(await client.vm.info({ signal }));
  } catch (error) {
    signal?.throwIfAborted();
    if (isVmmEnding(error) && recordedVmm(machine, vm) === undefined) return [];
    throw fromVmm(error, `cannot tell which NICs ${vm.name} has`);
  }
}

function nicsOf({ config, device_tree: tree = {} }: VmInfo): readonly VmmNic[] {
  return (config.net ?? []).flatMap(({ id, tap, mac }) => {
    if (id === undefined) return [];
    const bdf = tree[`_virtio-pci-${id}`]?.pci_bdf ?? tree[id]?.pci_bdf;
    return { deviceId: id, tap, mac, ...(bdf === undefined ? {} : { bdf }) };
  });
}
