import { type DeviceContext, type Host, SilkError, type VmRecord } from "@silkvm/core";
import { programOf } from "./host-use/host-use.ts";
import { groupNode } from "./iommu-group.ts";
import type { VfioData } from "./vfio-kind.ts";

/**
 * A device is given away once, and a group to one VM.
 * @throws SilkError `DEVICE_EXISTS`, `DEVICE_LEAVING`, `DEVICE_IN_USE`, `GROUP_IN_USE`
 */
export function refuseAttached(
  vm: VmRecord,
  pci: string,
  group: number,
  { host, attached }: DeviceContext,
): void {
  for (const { vm: owner, attachment } of attached()) {
    const data = attachment.data as VfioData;
    // One of an earlier boot of the host is gone with its VMM.
    if (data.bootId !== host.facts.bootId) continue;
    const isOwn = owner.id === vm.id;
    if (data.pci !== pci && (data.group !== group || isOwn)) continue;
    const { id } = attachment;
    const refuse = (message: string, code: string, kind: "busy" | "conflict", hint: string) =>
      new SilkError(message, {
        code,
        kind,
        hint,
        details: { pci, group, vmId: owner.id, deviceId: id },
      });
    const detach = `silk vm device detach ${owner.name} --id ${id}`;
    if (data.pci !== pci)
      throw refuse(
        `${pci} is of IOMMU group ${group}, of which the VM ${owner.name} has ${data.pci}: a group goes to one VM`,
        "GROUP_IN_USE",
        "conflict",
        `Detach it there first: ${detach}`,
      );
    if (attachment.state === "detaching")
      throw refuse(
        `the VM ${owner.name} has not let go of ${pci} yet`,
        "DEVICE_LEAVING",
        "busy",
        `Wait for it: ${detach}`,
      );
    throw refuse(
      `the VM ${owner.name} has ${pci} already, as ${id}`,
      isOwn ? "DEVICE_EXISTS" : "DEVICE_IN_USE",
      "conflict",
      `Detach it there first: ${detach}`,
    );
  }
}

/**
 * A group that another program has, or a VM of another installation.
 * @throws SilkError `GROUP_IN_USE`
 */
export async function refuseOpened(
  vm: VmRecord,
  pci: string,
  group: number,
  host: Host,
): Promise<void> {
  const openers = await host.processes.openers([groupNode(group)]);
  const other = openers.find(
    ({ process: { identity } }) => identity.pid !== vm.runtime?.vmm.pid,
  )?.process;
  if (other === undefined) return;
  const { pid } = other.identity;
  throw new SilkError(
    `${programOf(other.argv)} (pid ${pid}) has the IOMMU group ${group} of ${pci} open`,
    {
      code: "GROUP_IN_USE",
      kind: "conflict",
      hint: "End it, or detach the device there, first.",
      details: { pci, group, pid },
    },
  );
}
