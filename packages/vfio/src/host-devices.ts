import type { Host } from "@silkvm/core";
import { findHostUse, type HostUse, programOf } from "./host-use/host-use.ts";
import { groupNode } from "./iommu-group.ts";
import { pciDevices } from "./pci-address.ts";
import { isBridge, isFree, isVfioDriver, type PciDevice, readPciDevice } from "./pci-device.ts";
import { type PciNames, readPciNames } from "./pci-names.ts";

/** A PCI device of the host, and whether it can be handed over. */
export interface HostDevice extends PciDevice {
  /** Names by the system's pci.ids; undefined where it has none for them. */
  readonly vendorName: string | undefined;
  readonly deviceName: string | undefined;
  readonly className: string | undefined;
  readonly isBridge: boolean;
  /** Addresses of the others in its group that must go with it. */
  readonly groupWith: readonly string[];
  /** What the host does with it. */
  readonly uses: readonly HostUse[];
  /**
   * - `yes`: as it is
   * - `bind`: when it, or its group, is bound to vfio-pci first (`--bind`)
   * - `no`: see `why`
   */
  readonly usable: "yes" | "bind" | "no";
  /** What stands in the way, as clauses. */
  readonly why: readonly string[];
}

/** All PCI devices of the host, by their addresses. Changes nothing, and needs no root; who has a device open root alone sees for all users. */
export async function listHostDevices(host: Host): Promise<readonly HostDevice[]> {
  const addresses = await host.files.list(pciDevices);
  const [found, names] = await Promise.all([
    Promise.all(addresses.map((address) => readPciDevice(host, address))),
    readPciNames(host),
  ]);
  const devices = found.filter((device) => device !== undefined);
  const uses = await findHostUse(
    host,
    devices.filter((device) => !isBridge(device)),
  );
  const groups = Map.groupBy(
    devices.filter((device) => !isBridge(device)),
    ({ group }) => group,
  );
  const opened = await openGroups(
    host,
    [...groups.keys()].filter((group) => group !== undefined),
  );
  return devices.map((device) => {
    const usesOf = (address: string): readonly HostUse[] => uses.get(address) ?? [];
    const members = device.group === undefined ? [] : (groups.get(device.group) ?? []);
    const others = members.filter(({ address }) => address !== device.address);
    const why = [
      ...(isBridge(device) ? ["it is a bridge"] : []),
      ...(device.group === undefined
        ? ["it is in no IOMMU group"]
        : (opened.get(device.group) ?? [])),
      ...usesOf(device.address).map(({ what }) => what),
      ...others.flatMap(({ address }) =>
        usesOf(address).map(({ what }) => `${address} of its group: ${what}`),
      ),
    ];
    const isReady = isVfioDriver(device.driver) && others.every((other) => isFree(other));
    return {
      ...device,
      ...nameOf(device, names),
      isBridge: isBridge(device),
      groupWith: others.map(({ address }) => address),
      uses: usesOf(device.address),
      usable: why.length > 0 ? "no" : isReady ? "yes" : "bind",
      why,
    };
  });
}

function nameOf(
  { vendorId, deviceId, classId }: PciDevice,
  names: PciNames,
): Pick<HostDevice, "vendorName" | "deviceName" | "className"> {
  return {
    vendorName: names.vendor(vendorId),
    deviceName: names.device(vendorId, deviceId),
    className: names.deviceClass(classId),
  };
}

/** Who has groups open: VMs, of silk or of others. */
async function openGroups(
  { processes }: Host,
  groups: readonly number[],
): Promise<ReadonlyMap<number, readonly string[]>> {
  const openers = await processes.openers(groups.map(groupNode));
  return new Map(
    groups.map((group) => [
      group,
      openers
        .filter(({ path }) => path === groupNode(group))
        .map(
          ({ process: { identity, argv } }) =>
            `${programOf(argv)} (pid ${identity.pid}) has its group`,
        ),
    ]),
  );
}
