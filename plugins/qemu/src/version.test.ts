import { expect, it } from "vitest";
import { checkVersion, isAtLeast, parseVersion } from "./version.ts";

it.each([
  [
    "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)",
    { major: 7, minor: 2, micro: 22 },
  ],
  ["QEMU emulator version 10.0.0", { major: 10, minor: 0, micro: 0 }],
  ["Cloud", undefined],
])("reads the version in %j", (text, version) => {
  expect(parseVersion(text)).toEqual(version);
});

it("compares versions part by part", () => {
  expect(isAtLeast({ major: 10, minor: 0 }, { major: 9, minor: 1 })).toBe(true);
  expect(isAtLeast({ major: 8, minor: 1 }, { major: 8, minor: 2 })).toBe(false);
  expect(isAtLeast({ major: 8, minor: 2 }, { major: 8, minor: 2 })).toBe(true);
});

it("refuses one that is too old, and says what is needed", () => {
  expect(() => checkVersion({ major: 6, minor: 2, micro: 0 }, "/usr/bin/qemu")).toThrow(
    expect.objectContaining({
      code: "VMM_TOO_OLD",
      message: "/usr/bin/qemu is QEMU 6.2.0, and silk needs 7.2 or newer",
    }),
  );
});
