import type { DeviceView } from "@silkvm/core";
import type { VfioData } from "@silkvm/vfio";
import { type Column, renderTable, type TableOptions } from "./output/table.ts";

/** A PCI device of a VM as `--json` has it. */
export function deviceView({ id, data, state, bdf }: DeviceView<VfioData>) {
  const { pci, group, taken } = data;
  const bound = taken.map(({ address, driver }) => ({ pci: address, driver }));
  return { id, pci, group, state, bound, bdf: bdf ?? null };
}

/** What `silk vm device list` prints for a person. */
export function renderDeviceList(
  devices: readonly DeviceView<VfioData>[],
  options: TableOptions,
): string {
  return renderTable(columns, devices, options);
}

const columns: readonly Column<DeviceView<VfioData>>[] = [
  { header: "ID", cell: ({ id }) => id },
  { header: "PCI", cell: ({ data }) => data.pci },
  { header: "STATE", cell: ({ state }) => state },
  { header: "ADDRESS", cell: ({ bdf }) => bdf ?? "-" },
  { header: "GROUP", cell: ({ data }) => String(data.group) },
  { header: "BOUND", cell: ({ data }) => boundWord(data), shrinkTo: 12 },
];

function boundWord({ taken }: VfioData): string {
  const words = taken.map(({ address, driver }) =>
    driver === null ? address : `${address} (from ${driver})`,
  );
  return words.length === 0 ? "-" : words.join(", ");
}
