import { expect, it } from "vitest";
import { checkVersion, majorVersion } from "./version.ts";

it.each([
  ["cloud-hypervisor v53.0-dirty", 53],
  ["v53.0", 53],
  ["53.0.0", 53],
  ["v51.1-12-gdeadbeef", 51],
  ["v100.2", 100],
  ["main", undefined],
  ["", undefined],
])("reads %j as the major version %s", (version, major) => {
  expect(majorVersion(version)).toBe(major);
});

it("refuses a VMM that is older than v52, and says which it found", () => {
  expect(() => checkVersion("v52.0", "/bin/ch")).not.toThrow();
  expect(() => checkVersion("v51.9", "/bin/ch")).toThrow(
    expect.objectContaining({
      code: "VMM_TOO_OLD",
      kind: "unsupported",
      message: "/bin/ch is v51.9, and silk needs v52.0 or newer",
    }),
  );
});

it("takes a VMM whose version tells nothing", () => {
  expect(() => checkVersion("my own build", "/bin/ch")).not.toThrow();
});
