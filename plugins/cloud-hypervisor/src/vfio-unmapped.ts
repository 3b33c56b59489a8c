import { join } from "node:path";
import type { ChApiError, ChClient } from "@silkvm/ch-client";
import { SilkError, type VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/**
 * A VMM gives the guest's memory to the IOMMU with its first VFIO device, and takes a first one that failed for done: the next one is added, and
 * every access that it makes to the memory fails. That ends when any device leaves the VM, or with the VMM.
 */
function markOf(machine: Machine, vm: VmRecord): string {
  return join(machine.paths(vm).runDir, "vfio-unmapped");
}

/** What goes wrong before the VMM believes that it has given the memory away. */
const before =
  /validate config|failed to open \/dev\/vfio\/vfio container|API version|VFIO extension|VFIO type\b|VfioType1V2 IOMMU driver type$|passthrough device|identifier|PCI device/i;

export async function isUnmapped(machine: Machine, vm: VmRecord): Promise<boolean> {
  return (await machine.host.files.stat(markOf(machine, vm))) !== undefined;
}

/** Remembers that the VMM refused a device in this way, unless it has another one. */
export async function rememberUnmapped(
  machine: Machine,
  vm: VmRecord,
  client: ChClient,
  error: ChApiError,
): Promise<void> {
  if (error.chain.some((link) => before.test(link))) return;
  const { config } = await client.vm.info();
  if ((config.devices ?? []).length > 0) return;
  await machine.host.files.writeAtomic(markOf(machine, vm), "", { mode: 0o600 });
}

/** A device has left the VM: the VMM begins anew. */
export async function forgetUnmapped(machine: Machine, vm: VmRecord): Promise<void> {
  if (await isUnmapped(machine, vm)) await machine.host.files.remove(markOf(machine, vm));
}

export function unmappedError(vm: VmRecord): SilkError {
  return new SilkError(
    `the VMM of ${vm.name} failed at a PCI device before, and would not give the next one the guest's memory`,
    {
      code: "VM_RESTART_NEEDED",
      kind: "conflict",
      hint: `Start the VM again: silk vm stop ${vm.name} && silk vm start ${vm.name}`,
      details: { id: vm.id, name: vm.name },
    },
  );
}
