import type { Host } from "@silkvm/core";
import { isBridge, type PciDevice, readPciDevice } from "./pci-device.ts";

const groups = "/sys/kernel/iommu_groups";

/** Whether the kernel keeps devices apart at all. */
export async function hasIommu({ files }: Pick<Host, "files">): Promise<boolean> {
  return (await files.list(groups)).length > 0;
}

/** The devices of an IOMMU group: they can only be handed over together. Bridges are left out. */
export async function readGroup(
  host: Pick<Host, "files">,
  group: number,
): Promise<readonly PciDevice[]> {
  const addresses = await host.files.list(`${groups}/${group}/devices`);
  const devices = await Promise.all(addresses.map((address) => readPciDevice(host, address)));
  return devices.filter((device) => device !== undefined).filter((device) => !isBridge(device));
}

/** The file that whoever uses a group holds open. */
export function groupNode(group: number): string {
  return `/dev/vfio/${group}`;
}
