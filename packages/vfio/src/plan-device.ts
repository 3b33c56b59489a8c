import type { DeviceContext, PlannedDevice, VmRecord } from "@silkvm/core";
import { deviceIdOf } from "./device-id.ts";
import { formerDriver, type FormerDriver } from "./former-driver.ts";
import { findHostUse } from "./host-use/host-use.ts";
import { hasIommu, readGroup } from "./iommu-group.ts";
import { checkMemoryLock } from "./memory-lock.ts";
import { parsePciAddress } from "./pci-address.ts";
import { isBridge, isFree, isVfioDriver, type PciDevice, readPciDevice } from "./pci-device.ts";
import * as refused from "./refusals.ts";
import { refuseAttached, refuseOpened } from "./refuse-taken.ts";
import type { VfioData, VfioRequest } from "./vfio-kind.ts";
import { checkBindable, checkGroupNode } from "./vfio-module.ts";

/**
 * Checks all that can be checked before a device is handed over, and writes down whose the devices were that are to be taken.
 * @throws SilkError `INVALID_PCI_ADDRESS`, `INVALID_DEVICE_ID`, `PCI_DEVICE_NOT_FOUND`, `PCI_DEVICE_UNSUITABLE`, `NO_IOMMU`, `DEVICE_EXISTS`, `DEVICE_IN_USE`,
 * `GROUP_IN_USE`, `DEVICE_NOT_BOUND`, `GROUP_NOT_WHOLE`, `VFIO_UNAVAILABLE`, `PERMISSION_DENIED`, `MEMORY_LOCK_LIMIT`
 */
export async function planDevice(
  vm: VmRecord,
  request: VfioRequest,
  context: DeviceContext,
): Promise<PlannedDevice<VfioData>> {
  const { host, warn } = context;
  const { bind = false, force = false } = request;
  const pci = parsePciAddress(request.pci);
  const id = deviceIdOf(pci, request.id);
  const device = await readPciDevice(host, pci);
  if (device === undefined) throw refused.notFound(pci);
  if (isBridge(device)) throw refused.bridge(pci);
  const { group } = device;
  if (group === undefined) throw refused.noGroup(pci, await hasIommu(host));
  const members = await readGroup(host, group);
  // Read behind the devices: what another attach had bound by then has been written down before.
  const inherited = takenBefore(group, context);
  refuseAttached(vm, pci, group, context);
  await refuseOpened(vm, pci, group, host);
  if (bind) {
    await checkBindable(host, members, context);
    if (!force) await refuseUsed(pci, members, context);
  } else {
    if (!isVfioDriver(device.driver)) throw refused.notBound(device);
    const others = members.filter((member) => !isFree(member));
    if (others.length > 0) throw refused.groupNotWhole(pci, group, others);
  }
  if (members.every((member) => isFree(member)) && isVfioDriver(device.driver))
    await checkGroupNode(host, pci, group);
  await checkMemoryLock(vm, host);
  if (!device.resettable)
    warn(`${pci} cannot be reset: what this guest leaves in it is there for its next user`);
  const taken = members.flatMap((member): readonly FormerDriver[] => {
    const before = inherited.find(({ address }) => address === member.address);
    if (before !== undefined) return [before];
    return bind && !isVfioDriver(member.driver) ? [formerDriver(member)] : [];
  });
  return { id, data: { pci, group, taken, bootId: host.facts.bootId } };
}

/** What was taken from the group for others of its devices, and is still to be given back: whoever is the last has to do it. */
function takenBefore(group: number, { host, attached }: DeviceContext): readonly FormerDriver[] {
  return attached()
    .map(({ attachment }) => attachment.data as VfioData)
    .filter((data) => data.group === group && data.bootId === host.facts.bootId)
    .flatMap(({ taken }) => taken);
}

async function refuseUsed(
  pci: string,
  members: readonly PciDevice[],
  { host }: DeviceContext,
): Promise<void> {
  const uses = await findHostUse(
    host,
    members.filter(({ driver }) => !isVfioDriver(driver)),
  );
  const used = [...uses].flatMap(([address, found]) =>
    found.map(({ what }) => (address === pci ? what : `${address}, of the same group: ${what}`)),
  );
  if (used.length > 0) throw refused.usedByHost(pci, used);
}
