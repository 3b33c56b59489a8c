import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDisk } from "./disk.ts";

describe("parseDisk", () => {
  it.each([
    ["/images/a.raw", { path: "/images/a.raw" }],
    ["path=/images/a.raw", { path: "/images/a.raw" }],
    ["a.raw,readonly", { path: "a.raw", readonly: true }],
    ["a.raw,readonly=off", { path: "a.raw", readonly: false }],
    ["a.raw,serial=root,direct=off", { path: "a.raw", serial: "root", directIo: false }],
    ["a.raw,direct=on,readonly=on", { path: "a.raw", readonly: true, directIo: true }],
    ["a=b.raw", { path: "a=b.raw" }],
    ["a,,b.raw,readonly", { path: "a,b.raw", readonly: true }],
    ["a.raw,serial=x=y", { path: "a.raw", serial: "x=y" }],
  ])("reads %s", (text, disk) => {
    expect(parseDisk(text)).toEqual(disk);
  });

  it.each([
    ["", "--disk: the path is missing"],
    ["path=", "--disk: the path is missing"],
    [",readonly", "--disk: the path is missing"],
    ["a.raw,", "--disk: there is an empty part"],
    ["a.raw,readonl", '--disk: there is no key "readonl"'],
    ["a.raw,serial", '--disk: "serial" needs a value: serial=S'],
    ["a.raw,serial=", '--disk: "serial" needs a value: serial=S'],
    ["a.raw,direct", '--disk: "direct" must be on or off'],
    ["a.raw,direct=yes", '--disk: "direct" must be on or off'],
    ["a.raw,readonly,readonly", '--disk: "readonly" is given twice'],
  ])("refuses %j", (text, message) => {
    expect(() => parseDisk(text)).toThrow(message);
  });

  it("says which key was meant", () => {
    expect(() => parseDisk("a.raw,seriel=x")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("Did you mean serial?") }),
    );
  });

  it("keeps every path in which commas are doubled", () => {
    const paths = fc.string({ minLength: 1 }).filter((path) => !path.startsWith("path="));
    fc.assert(
      fc.property(paths, (path) => {
        expect(parseDisk(`${path.replaceAll(",", ",,")},readonly`)).toEqual({
          path,
          readonly: true,
        });
      }),
    );
  });
});
