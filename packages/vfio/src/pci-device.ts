import type { Host } from "@silkvm/core";
import { linkName, readKernelFile } from "./kernel-files.ts";
import { pciPath } from "./pci-address.ts";

/** A PCI device as the kernel tells of it. Numbers are lower-case hexadecimal digits. */
export interface PciDevice {
  /** `0000:01:00.0`. */
  readonly address: string;
  /** Four digits: `8086`. */
  readonly vendorId: string;
  /** Four digits. */
  readonly deviceId: string;
  /** Six digits: class, subclass, interface. */
  readonly classId: string;
  /** Undefined where none has it. */
  readonly driver: string | undefined;
  /** The one driver that may have it, where that was said. */
  readonly driverOverride: string | undefined;
  /** Number of its IOMMU group; undefined where it has none. */
  readonly group: number | undefined;
  /** Undefined where the host has one node, or does not tell. */
  readonly numaNode: number | undefined;
  /** Whether the kernel can reset it, so that nothing of one user is left for the next. */
  readonly resettable: boolean;
  /** Its memory and ports. */
  readonly bars: readonly { readonly index: number; readonly sizeBytes: number }[];
}

/** Reads what the kernel tells of a PCI device. Undefined where there is none at this address. */
export async function readPciDevice(
  { files }: Pick<Host, "files">,
  address: string,
): Promise<PciDevice | undefined> {
  const path = pciPath(address);
  const read = (name: string) => readKernelFile(files, `${path}/${name}`);
  const vendor = await read("vendor");
  if (vendor === undefined) return undefined;
  const hex = (text: string | undefined, digits: number): string =>
    (text ?? "").replace(/^0x/, "").toLowerCase().padStart(digits, "0");
  const override = (await read("driver_override"))?.trim();
  const group = await linkName(files, `${path}/iommu_group`);
  const node = Number((await read("numa_node")) ?? -1);
  return {
    address,
    vendorId: hex(vendor, 4),
    deviceId: hex(await read("device"), 4),
    classId: hex(await read("class"), 6),
    driver: await linkName(files, `${path}/driver`),
    driverOverride:
      override === undefined || ["", "(null)"].includes(override) ? undefined : override,
    group: group !== undefined && /^\d+$/.test(group) ? Number(group) : undefined,
    numaNode: node >= 0 ? node : undefined,
    resettable:
      ((await read("reset_method")) ?? "").trim() !== "" ||
      (await files.stat(`${path}/reset`)) !== undefined,
    bars: parseBars(await read("resource")),
  };
}

/** Lines of `resource`: first and last address, and flags. The first six are the device's own; what lies behind is its ROM's, or a bridge's. */
function parseBars(text: string | undefined): PciDevice["bars"] {
  const lines = (text ?? "").split("\n").slice(0, 6);
  return lines.flatMap((line, index) => {
    const [start = "", end = ""] = line.split(" ");
    if (!/^0x[0-9a-f]+$/i.test(start) || !/^0x[0-9a-f]+$/i.test(end)) return [];
    const sizeBytes = BigInt(end) - BigInt(start) + 1n;
    return BigInt(end) === 0n ? [] : [{ index, sizeBytes: Number(sizeBytes) }];
  });
}

/** Bridges stand in a group without being given to anybody: nothing has to be done with them. */
export function isBridge({ classId, driver }: PciDevice): boolean {
  return /^060[49]/.test(classId) || (classId.startsWith("06") && driver === undefined);
}

/** Whether a driver is one that hands its device over: vfio-pci, or one that is made of it for a certain device. */
export function isVfioDriver(driver: string | undefined): boolean {
  return driver !== undefined && /(?:^|[-_])vfio[-_]pci$/.test(driver);
}

/** Whether a device lets the others of its group be handed over: nobody of the host can reach it. */
export function isFree(device: PciDevice): boolean {
  return device.driver === undefined || device.driver === "pci-stub" || isVfioDriver(device.driver);
}
