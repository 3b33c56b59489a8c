import type { VmSummary } from "@silkvm/core";
import { formatSize } from "./output/format-size.ts";
import { formatAgo, formatSpan } from "./output/relative-time.ts";
import { type Column, renderTable, type TableOptions } from "./output/table.ts";
import { toJson } from "./output/to-json.ts";

export interface VmListView extends TableOptions {
  readonly json: boolean;
  /** Ids only. */
  readonly quiet: boolean;
  /** Indent the JSON. */
  readonly pretty: boolean;
  /** The time that ages are counted from, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** What `silk vm list` prints: a pure function, so that whoever prints a list prints the same bytes. */
export function renderVmList(vms: readonly VmSummary[], view: VmListView): string {
  if (view.json) return toJson(view.quiet ? vms.map(({ id }) => id) : vms, view.pretty);
  if (view.quiet) return vms.map(({ id }) => `${id}\n`).join("");
  return renderTable(vmColumns(view.nowMs), vms, view);
}

const stateStyles = {
  creating: "yellow",
  created: "cyan",
  running: "green",
  stopped: "dim",
  error: "red",
} as const;

/** An image's name; of a URL the file alone, which is enough to know it by. */
function imageWord(image: string | null): string {
  if (image === null || image === "") return "-";
  return /^https?:\/\//.test(image) ? (image.split("/").at(-1) ?? image) : image;
}

export function vmColumns(nowMs: number): readonly Column<VmSummary>[] {
  return [
    { header: "ID", cell: ({ id }) => id, shrinkTo: 8 },
    { header: "NAME", cell: ({ name }) => name, shrinkTo: 8 },
    {
      header: "STATE",
      cell: ({ state, problem }) =>
        state === "error" && problem !== null ? `error (${problem.code})` : state,
      style: ({ state }) => stateStyles[state],
      shrinkTo: 8,
    },
    { header: "CPUS", align: "right", cell: ({ cpus }) => String(cpus) },
    { header: "MEMORY", align: "right", cell: ({ memoryBytes }) => formatSize(memoryBytes) },
    {
      header: "STORAGE",
      align: "right",
      cell: ({ storageBytes }) => (storageBytes === 0 ? "-" : formatSize(storageBytes)),
    },
    { header: "NICS", align: "right", cell: ({ nics }) => String(nics) },
    { header: "IMAGE", cell: ({ image }) => imageWord(image), shrinkTo: 7 },
    { header: "CREATED", cell: ({ createdAt }) => formatAgo(createdAt, nowMs), shrinkTo: 7 },
    {
      header: "UPTIME",
      cell: ({ startedAt, state }) =>
        state === "running" && startedAt !== null
          ? formatSpan(Math.max(0, nowMs - Date.parse(startedAt)))
          : "-",
      shrinkTo: 6,
    },
  ];
}
