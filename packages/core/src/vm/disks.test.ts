import { describe, expect, it } from "vitest";
import { checkDisks } from "./disks.ts";
import type { Disk } from "./record.ts";

const layer: Disk = { path: "/l", role: "layer", readonly: true, serial: "l0" };
const cow: Disk = { path: "/c", role: "cow", readonly: false, serial: "cocoon-cow" };

describe("checkDisks", () => {
  it("accepts layers, one COW disk, data disks and cidata", () => {
    const data: Disk = { path: "/d", role: "data", readonly: false, directIo: false };
    checkDisks([layer, cow, data, { path: "/i", role: "cidata", readonly: true }]);
  });

  it.each([
    ["a writable layer", [{ ...layer, readonly: false }]],
    ["a read-only COW disk", [{ ...cow, readonly: true }]],
    ["a relative path", [{ ...cow, path: "c" }]],
    ["a directIo on a COW disk", [{ ...cow, directIo: true }]],
    ["a serial that is too long", [{ ...cow, serial: "x".repeat(21) }]],
    [
      "one serial twice",
      [cow, { path: "/d", role: "data" as const, readonly: false, serial: "cocoon-cow" }],
    ],
    ["two COW disks", [cow, { ...cow, path: "/e", serial: "other" }]],
  ])("refuses %s", (_what, disks) => {
    expect(() => checkDisks(disks)).toThrow(expect.objectContaining({ code: "INVALID_DISK" }));
  });
});
