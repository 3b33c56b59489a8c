import { resolve } from "node:path";
import { expect, it } from "vitest";
import { snapshotWords, toLoadOptions, toSnapshotRef } from "./load-options.ts";

it("takes a snapshot or a directory, and not both", () => {
  expect(toSnapshotRef("golden", undefined)).toEqual({ snapshot: "golden" });
  expect(toSnapshotRef(undefined, "dir")).toEqual({ directory: resolve("dir") });
  expect(() => toSnapshotRef("golden", "dir")).toThrow(
    "SNAPSHOT and --from-dir do not go together",
  );
  expect(() => toSnapshotRef(undefined, undefined)).toThrow("the snapshot is missing");
});

it("names a snapshot in a sentence", () => {
  expect(snapshotWords({ snapshot: "golden" })).toBe("golden");
  expect(snapshotWords({ directory: "/backup/golden" })).toBe("/backup/golden");
});

it("takes allowed paths from the current directory on", () => {
  expect(
    toLoadOptions({ "restore-mode": "copy", strict: true, "allow-path": ["images", "/boot"] }),
  ).toEqual({ restoreMode: "copy", strict: true, allowPaths: [resolve("images"), "/boot"] });
  expect(toLoadOptions({ strict: false })).toEqual({
    restoreMode: undefined,
    strict: false,
    allowPaths: undefined,
  });
});
