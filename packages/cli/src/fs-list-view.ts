import type { FsView } from "@silkvm/virtiofs";
import { type Column, renderTable, type TableOptions } from "./output/table.ts";

/** A shared directory as `--json` has it. */
export function fsView({ id, data, state, keep, bdf, server, serverPids }: FsView) {
  const { tag, socket } = data;
  const own = data.dir === undefined ? undefined : data;
  return {
    id,
    tag,
    dir: own?.dir ?? null,
    socket,
    readonly: own?.readonly ?? null,
    cache: own?.cache ?? null,
    sandbox: own?.sandbox ?? null,
    state,
    server: server ?? null,
    serverPids: serverPids ?? [],
    keep,
    bdf: bdf ?? null,
  };
}

/** What `silk vm fs list` prints for a person. */
export function renderFsList(shares: readonly FsView[], options: TableOptions): string {
  return renderTable(columns, shares, options);
}

const columns: readonly Column<FsView>[] = [
  { header: "TAG", cell: ({ data }) => data.tag },
  { header: "STATE", cell: ({ state }) => state },
  {
    header: "SERVER",
    cell: ({ server }) => server ?? "-",
    style: ({ server }) => (server === "ended" ? "red" : undefined),
  },
  { header: "ACCESS", cell: access },
  { header: "KEEP", cell: ({ keep }) => (keep ? "yes" : "no") },
  { header: "ADDRESS", cell: ({ bdf }) => bdf ?? "-" },
  { header: "FROM", cell: ({ data }) => data.dir ?? data.socket, shrinkTo: 12 },
];

/** What a virtiofsd of the user's lets the guest do is its own affair. */
function access({ data }: FsView): string {
  if (data.dir === undefined) return "-";
  return data.readonly ? "read-only" : "writable";
}
