import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { archiveName, type ExportWish, toExportTarget } from "./export-target.ts";

const nothing: ExportWish = {
  gzip: false,
  zstd: false,
  force: false,
  json: false,
  stdoutIsTerminal: false,
};

describe("an export without a place", () => {
  it("goes to stdout where that is a pipe or a file", () => {
    expect(toExportTarget(nothing)).toEqual({ kind: "stdout", compression: undefined });
    expect(toExportTarget({ ...nothing, zstd: true })).toEqual({
      kind: "stdout",
      compression: "zstd",
    });
  });

  it("goes to a file that is named after the snapshot where stdout is a terminal, or prints JSON", () => {
    const file = { kind: "file", path: undefined, compression: undefined };
    expect(toExportTarget({ ...nothing, stdoutIsTerminal: true })).toEqual(file);
    expect(toExportTarget({ ...nothing, json: true })).toEqual(file);
  });
});

describe("an export to a place", () => {
  it("goes to the file, packed as its name says unless a flag says how", () => {
    const to = (output: string, flags: Partial<ExportWish> = {}) =>
      toExportTarget({ ...nothing, ...flags, output });
    expect(to("a.tar")).toEqual({
      kind: "file",
      path: resolve("a.tar"),
      compression: undefined,
    });
    expect(to("/x/a.tar.gz")).toEqual({ kind: "file", path: "/x/a.tar.gz", compression: "gzip" });
    expect(to("/x/a.TGZ")).toMatchObject({ compression: "gzip" });
    expect(to("/x/a.tar.zst")).toMatchObject({ compression: "zstd" });
    expect(to("/x/a.gz", { zstd: true })).toMatchObject({ compression: "zstd" });
    expect(to("/x/gz")).toMatchObject({ compression: undefined });
  });

  it("goes to a directory", () => {
    expect(toExportTarget({ ...nothing, "to-dir": "d" })).toEqual({
      kind: "directory",
      path: resolve("d"),
    });
  });

  it.each<[Partial<ExportWish>, string]>([
    [{ gzip: true, zstd: true }, "--gzip and --zstd do not go together"],
    [{ "to-dir": "d", output: "f" }, "--to-dir and --output do not go together"],
    [{ "to-dir": "d", zstd: true }, "--to-dir and --zstd do not go together"],
    [{ "to-dir": "d", force: true }, "--to-dir and --force do not go together"],
    [{ output: "" }, "--output: the name of the file is empty"],
    [{ output: "-", json: true }, "--output - and --json do not go together"],
    [{ output: "-", stdoutIsTerminal: true }, "an archive is nothing to print on a terminal"],
  ])("is refused for %j", (wish, message) => {
    expect(() => toExportTarget({ ...nothing, ...wish })).toThrow(message);
  });
});

it("names an archive by the snapshot and how it is packed", () => {
  expect(archiveName("web-1", undefined)).toBe("web-1.tar");
  expect(archiveName("web-1", "gzip")).toBe("web-1.tar.gz");
  expect(archiveName("web-1", "zstd")).toBe("web-1.tar.zst");
});
