import type { HostDevice } from "@silkvm/vfio";
import { printableLine } from "./output/printable.ts";
import { type Column, renderTable, type TableOptions } from "./output/table.ts";

/** A PCI device of the host as `--json` has it: nothing is left out, what is not known is null. */
export function hostDeviceView(device: HostDevice) {
  const { address, vendorId, deviceId, classId, vendorName, deviceName, className } = device;
  const { driver, driverOverride, group, groupWith, numaNode, resettable, bars } = device;
  const { isBridge, uses, usable, why } = device;
  return {
    address,
    vendorId,
    vendor: vendorName ?? null,
    deviceId,
    device: deviceName ?? null,
    classId,
    class: className ?? null,
    driver: driver ?? null,
    driverOverride: driverOverride ?? null,
    group: group ?? null,
    groupWith,
    numaNode: numaNode ?? null,
    resettable,
    bars,
    bridge: isBridge,
    uses,
    usable,
    why,
  };
}

/** What `silk host devices` prints for a person. */
export function renderHostDevices(devices: readonly HostDevice[], options: TableOptions): string {
  return renderTable(columns, devices, options);
}

const columns: readonly Column<HostDevice>[] = [
  { header: "ADDRESS", cell: ({ address }) => address },
  { header: "NAME", cell: nameWord, shrinkTo: 16 },
  { header: "DRIVER", cell: ({ driver }) => driver ?? "-" },
  { header: "GROUP", cell: ({ group }) => (group === undefined ? "-" : String(group)) },
  { header: "USABLE", cell: usableWord, shrinkTo: 16 },
];

/** By its maker and its name, or by its class and its numbers. */
function nameWord(device: HostDevice): string {
  const { vendorId, deviceId, vendorName, deviceName, className } = device;
  const numbers = `[${vendorId}:${deviceId}]`;
  if (deviceName !== undefined) return printableLine(`${vendorName ?? vendorId} ${deviceName}`);
  const known = vendorName ?? className;
  return known === undefined ? numbers : printableLine(`${known} ${numbers}`);
}

function usableWord({ usable, why, groupWith, resettable }: HostDevice): string {
  if (usable === "no") return `no: ${printableLine(why.join("; "))}`;
  const company = groupWith.length === 0 ? "" : `, together with ${groupWith.join(", ")}`;
  const reset = resettable ? "" : "; it cannot be reset";
  return `${usable === "yes" ? "yes" : "with --bind"}${company}${reset}`;
}
