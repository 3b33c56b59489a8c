import type { SnapshotView } from "@silkvm/core";
import { expect, it } from "vitest";
import { renderSnapshotList } from "./snapshot-list-view.ts";

const nowMs = Date.parse("2026-03-01T12:00:00.000Z");
const base: SnapshotView = {
  id: "3f9a1c2b4d5e6f70",
  name: "web-1",
  description: "",
  createdAt: "2026-03-01T10:00:00.000Z",
  vmId: "aaaa",
  vmName: "web",
  backend: "cloud-hypervisor",
  cpus: 2,
  memoryBytes: 1024 ** 3,
  nics: 0,
  sizeBytes: 1.5 * 1024 ** 3,
  parentId: null,
  imported: false,
};
const snapshots: SnapshotView[] = [
  base,
  { ...base, id: "b1", name: "web-2", parentId: base.id },
  { ...base, id: "c2", name: "old", parentId: "9999", memoryBytes: 512 * 1024 ** 2 },
];
const view = { json: false, quiet: false, pretty: false, nowMs };

it("is a table in which a parent has its name, as long as it is there", () => {
  expect(renderSnapshotList(snapshots, view)).toMatchInlineSnapshot(`
    "ID                NAME   VM   CREATED      MEMORY  SIZE  PARENT
    3f9a1c2b4d5e6f70  web-1  web  2 hours ago      1G  1.5G  -
    b1                web-2  web  2 hours ago      1G  1.5G  web-1
    c2                old    web  2 hours ago    512M  1.5G  9999
    "
  `);
});

it("is a header alone where there is nothing, and an empty array for programs", () => {
  expect(renderSnapshotList([], view)).toBe("ID  NAME  VM  CREATED  MEMORY  SIZE  PARENT\n");
  expect(renderSnapshotList([], { ...view, json: true })).toBe("[]\n");
  expect(renderSnapshotList([], { ...view, quiet: true })).toBe("");
});

it("is ids alone where that is wanted, as lines or as JSON", () => {
  expect(renderSnapshotList(snapshots, { ...view, quiet: true })).toBe(
    "3f9a1c2b4d5e6f70\nb1\nc2\n",
  );
  expect(renderSnapshotList(snapshots.slice(1), { ...view, quiet: true, json: true })).toBe(
    '["b1","c2"]\n',
  );
  expect(JSON.parse(renderSnapshotList(snapshots, { ...view, json: true }))).toEqual(snapshots);
});
