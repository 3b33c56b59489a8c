import type { VmSummary } from "@silkvm/core";
import { vmColumns } from "../list-view.ts";
import { printableLine } from "../output/printable.ts";
import { type Column, renderTable, type TableOptions } from "../output/table.ts";

const watched: ReadonlySet<string> = new Set(["ID", "NAME", "STATE", "CPUS", "MEMORY", "UPTIME"]);

/** The table of `silk vm status`: what changes, and why a VM is in error. */
export function renderStatus(
  vms: readonly VmSummary[],
  view: TableOptions & { readonly nowMs: number },
): string {
  const columns: Column<VmSummary>[] = [
    ...vmColumns(view.nowMs).filter(({ header }) => watched.has(header)),
    { header: "PID", align: "right", cell: ({ pid }) => (pid === null ? "-" : String(pid)) },
    {
      header: "PROBLEM",
      cell: ({ problem }) => (problem === null ? "-" : printableLine(problem.message)),
      shrinkTo: 8,
    },
  ];
  return renderTable(columns, vms, view);
}
