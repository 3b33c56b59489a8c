import type { Disk, SnapshotManifest } from "@silkvm/core";
import { expect, it } from "vitest";
import { matchDisks } from "./match-disks.ts";

const layer: Disk = { path: "/l", role: "layer", readonly: true, serial: "l0" };
const cow: Disk = { path: "/vm/cow.raw", role: "cow", readonly: false, serial: "cocoon-cow" };
const data: Disk = { path: "/vm/data-a.raw", role: "data", readonly: false, serial: "a" };
const cidata: Disk = { path: "/vm/cidata.raw", role: "cidata", readonly: true };

const snapshotOf = (...disks: Disk[]): SnapshotManifest =>
  ({
    vm: {
      disks: disks.map((disk) =>
        disk.role === "layer" ? disk : { ...disk, path: `/elsewhere${disk.path}`, file: "f.raw" },
      ),
    },
  }) as unknown as SnapshotManifest;

const indexes = (disks: Disk[], snapshot: SnapshotManifest) =>
  matchDisks({ name: "web", disks }, snapshot).map(({ index }) => index);

it("each disk of a snapshot is one of the VM's, in their order, wherever it lay", () => {
  expect(indexes([layer, cow, data], snapshotOf(layer, cow, data))).toEqual([0, 1, 2]);
});

it("cidata, which a guest has at its first boot only, may be missing in the snapshot", () => {
  expect(indexes([cow, data, cidata], snapshotOf(cow, data))).toEqual([0, 1]);
  expect(indexes([cow, cidata, data], snapshotOf(cow, data))).toEqual([0, 2]);
  expect(indexes([cow, cidata], snapshotOf(cow, cidata))).toEqual([0, 1]);
});

it.each<[string, Disk[], Disk[], RegExp]>([
  ["has a disk more", [cow, data], [cow], /1 disk more/],
  ["has a disk less", [cow], [cow, data], /no disk for/],
  ["has no cidata", [cow], [cow, cidata], /no disk for/],
  ["has its disks in another order", [data, cow], [cow, data], /another disk/],
  ["has another serial", [{ ...data, serial: "b" }], [data], /serial/],
  ["has another layer", [{ ...layer, path: "/other" }], [layer], /other/],
  ["has a qcow2 image", [{ ...cow, path: "/vm/cow.qcow2" }], [cow], /qcow2/],
  ["may not write to the disk", [{ ...data, readonly: true }], [data], /read-only/],
])("a VM that %s does not fit", (_, disks, snapshot, why) => {
  expect(() => indexes(disks, snapshotOf(...snapshot))).toThrow(why);
});
