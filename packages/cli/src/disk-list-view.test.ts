import type { DeviceView } from "@silkvm/core";
import type { DiskData } from "@silkvm/storage";
import { expect, it } from "vitest";
import { diskView, renderDiskList } from "./disk-list-view.ts";

const disks: readonly DeviceView<DiskData>[] = [
  {
    kind: "disk",
    id: "silk-disk-backup",
    data: { path: "/images/backup.raw", name: "backup", readonly: false },
    state: "attached",
    keep: false,
    bdf: "0000:00:06.0",
  },
  {
    kind: "disk",
    id: "silk-disk-tools",
    data: { path: "/images/tools.raw", name: "tools", readonly: true },
    state: "detached",
    keep: true,
  },
];

it("shows attached disks, one a line", () => {
  expect(renderDiskList(disks, {})).toMatchInlineSnapshot(`
    "NAME    STATE     ACCESS     KEEP  ADDRESS       PATH
    backup  attached  writable   no    0000:00:06.0  /images/backup.raw
    tools   detached  read-only  yes   -             /images/tools.raw
    "
  `);
  expect(renderDiskList([], {})).toBe("NAME  STATE  ACCESS  KEEP  ADDRESS  PATH\n");
});

it("gives programs each disk as one flat object", () => {
  expect(diskView(disks[1] as DeviceView<DiskData>)).toEqual({
    id: "silk-disk-tools",
    name: "tools",
    path: "/images/tools.raw",
    readonly: true,
    state: "detached",
    keep: true,
    bdf: null,
  });
});
