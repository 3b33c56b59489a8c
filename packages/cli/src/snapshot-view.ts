import type { SnapshotDetails } from "@silkvm/core";
import { imageFields } from "./images/vm-image-fields.ts";
import { bootFields } from "./inspect-view.ts";
import { type Field, renderFields } from "./output/fields.ts";
import { formatSize } from "./output/format-size.ts";
import { printableLine } from "./output/printable.ts";
import { formatAgo } from "./output/relative-time.ts";
import { renderSection } from "./output/section.ts";
import type { Column } from "./output/table.ts";

/** What `silk snapshot inspect` tells a person of a snapshot. */
export function renderSnapshotDetails(snapshot: SnapshotDetails, nowMs: number): string {
  const { vm, files, externals } = snapshot.manifest;
  const sections: (readonly [title: string, body: string])[] = [
    ["Image", renderFields(imageFields(vm.config), "  ")],
    ["Boot", renderFields(bootFields(vm), "  ")],
    ["Disks", renderSection(diskColumns, vm.disks)],
    ["Files", renderSection(fileColumns, files)],
    ["Needs on the host", renderSection(externalColumns, externals)],
    ["Labels", renderFields(Object.entries(vm.labels), "  ")],
    ["Used by", renderSection(userColumns, snapshot.usedBy)],
  ];
  const told = sections.filter(([, body]) => body !== "");
  return (
    renderFields(mainFields(snapshot, nowMs)) +
    told.map(([title, body]) => `${title}\n${body}`).join("")
  );
}

function mainFields(snapshot: SnapshotDetails, nowMs: number): Field[] {
  const { manifest, sizeBytes, allocatedBytes } = snapshot;
  return [
    ["ID", snapshot.id],
    ["Name", snapshot.name],
    ["Description", snapshot.description === "" ? undefined : snapshot.description],
    ["VM", `${snapshot.vmName} (${snapshot.vmId})`],
    ["Created", `${snapshot.createdAt} (${formatAgo(snapshot.createdAt, nowMs)})`],
    ["Parent", snapshot.parentId ?? undefined],
    ["Origin", snapshot.imported ? "imported" : undefined],
    ["Backend", snapshot.backend],
    ["VMM", `${manifest.host.vmmVersion}, ${manifest.host.arch}`],
    ["Host CPU", manifest.host.cpu?.model || undefined],
    ["CPUs", snapshot.cpus],
    ["Memory", formatSize(snapshot.memoryBytes)],
    ["NICs", snapshot.nics],
    ["Size", `${formatSize(sizeBytes)} (${formatSize(allocatedBytes)} on the disk)`],
    ["Directory", snapshot.directory],
  ];
}

type Manifest = SnapshotDetails["manifest"];

const diskColumns: readonly Column<Manifest["vm"]["disks"][number]>[] = [
  { header: "ROLE", cell: ({ role }) => role },
  { header: "ACCESS", cell: ({ readonly }) => (readonly ? "read-only" : "writable") },
  { header: "SERIAL", cell: ({ serial }) => printableLine(serial ?? "-") },
  { header: "FILE", cell: ({ file }) => file ?? "-" },
  { header: "PATH", cell: ({ path }) => printableLine(path) },
];

const fileColumns: readonly Column<Manifest["files"][number]>[] = [
  { header: "NAME", cell: ({ name }) => name },
  { header: "SIZE", align: "right", cell: ({ sizeBytes }) => formatSize(sizeBytes) },
];

const externalColumns: readonly Column<Manifest["externals"][number]>[] = [
  { header: "PATH", cell: ({ path }) => printableLine(path) },
  {
    header: "CONTENT",
    cell: ({ chunksSha256 }) => (chunksSha256 === undefined ? "not checked" : "checked"),
  },
];

const userColumns: readonly Column<SnapshotDetails["usedBy"][number]>[] = [
  { header: "ID", cell: ({ id }) => id },
  { header: "NAME", cell: ({ name }) => name },
];
