import type { DeviceView } from "@silkvm/core";
import type { DiskData } from "@silkvm/storage";
import { type Column, renderTable, type TableOptions } from "./output/table.ts";

/** An attached disk as `--json` has it. */
export function diskView({ id, data, state, keep, bdf }: DeviceView<DiskData>) {
  const { name, path, readonly } = data;
  return { id, name, path, readonly, state, keep, bdf: bdf ?? null };
}

/** What `silk vm disk list` prints for a person. */
export function renderDiskList(
  disks: readonly DeviceView<DiskData>[],
  options: TableOptions,
): string {
  return renderTable(columns, disks, options);
}

const columns: readonly Column<DeviceView<DiskData>>[] = [
  { header: "NAME", cell: ({ data }) => data.name },
  { header: "STATE", cell: ({ state }) => state },
  { header: "ACCESS", cell: ({ data }) => (data.readonly ? "read-only" : "writable") },
  { header: "KEEP", cell: ({ keep }) => (keep ? "yes" : "no") },
  { header: "ADDRESS", cell: ({ bdf }) => bdf ?? "-" },
  { header: "PATH", cell: ({ data }) => data.path, shrinkTo: 12 },
];
