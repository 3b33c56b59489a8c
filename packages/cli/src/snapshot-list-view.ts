import type { SnapshotView } from "@silkvm/core";
import { formatSize } from "./output/format-size.ts";
import { formatAgo } from "./output/relative-time.ts";
import { type Column, renderTable, type TableOptions } from "./output/table.ts";
import { toJson } from "./output/to-json.ts";

export interface SnapshotListView extends TableOptions {
  readonly json: boolean;
  /** Ids only. */
  readonly quiet: boolean;
  /** Indent the JSON. */
  readonly pretty: boolean;
  /** The time that ages are counted from, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** What `silk snapshot list` prints. */
export function renderSnapshotList(
  snapshots: readonly SnapshotView[],
  view: SnapshotListView,
): string {
  if (view.json) return toJson(view.quiet ? snapshots.map(({ id }) => id) : snapshots, view.pretty);
  if (view.quiet) return snapshots.map(({ id }) => `${id}\n`).join("");
  return renderTable(columns(snapshots, view.nowMs), snapshots, view);
}

function columns(
  snapshots: readonly SnapshotView[],
  nowMs: number,
): readonly Column<SnapshotView>[] {
  const names = new Map(snapshots.map(({ id, name }) => [id, name]));
  return [
    { header: "ID", cell: ({ id }) => id, shrinkTo: 8 },
    { header: "NAME", cell: ({ name }) => name, shrinkTo: 8 },
    { header: "VM", cell: ({ vmName }) => vmName, shrinkTo: 8 },
    { header: "CREATED", cell: ({ createdAt }) => formatAgo(createdAt, nowMs), shrinkTo: 7 },
    { header: "MEMORY", align: "right", cell: ({ memoryBytes }) => formatSize(memoryBytes) },
    { header: "SIZE", align: "right", cell: ({ sizeBytes }) => formatSize(sizeBytes) },
    {
      header: "PARENT",
      cell: ({ parentId }) => (parentId === null ? "-" : (names.get(parentId) ?? parentId)),
      shrinkTo: 8,
    },
  ];
}
