import type { RestoreMode } from "@silkvm/core";
import { expect, it } from "vitest";
import { chooseMode, cowHostObstacle, insteadOf } from "./restore-mode.ts";

const clone = {
  requested: "auto",
  strict: false,
  purpose: "clone",
  cowObstacle: undefined,
} as const;

it("a clone maps the memory by itself, and a restore reads it", () => {
  expect(chooseMode(clone)).toMatchObject({ requested: "auto", used: "cow", isSubstitute: false });
  expect(chooseMode({ ...clone, purpose: "restore" }).used).toBe("copy");
});

it("a clone whose memory cannot be mapped reads it, and says why, but warns of nothing", () => {
  const choice = chooseMode({ ...clone, cowObstacle: "the guest's memory is shared" });
  expect(choice).toMatchObject({
    used: "copy",
    reason: "the guest's memory is shared",
    isSubstitute: false,
    limits: [],
  });
});

it.each<RestoreMode>(["copy", "ondemand", "cow"])(
  "%s is done where it is asked for",
  (requested) => {
    for (const purpose of ["clone", "restore"] as const)
      expect(chooseMode({ ...clone, requested, purpose, strict: true })).toMatchObject({
        requested,
        used: requested,
        isSubstitute: false,
      });
  },
);

it("mapping that is asked for and impossible is replaced with a warning, or refused where it is insisted on", () => {
  const impossible = { ...clone, requested: "cow", cowObstacle: "it is in huge pages" } as const;
  expect(chooseMode(impossible)).toMatchObject({
    requested: "cow",
    used: "copy",
    reason: "it is in huge pages",
    isSubstitute: true,
  });
  expect(() => chooseMode({ ...impossible, strict: true })).toThrow(
    expect.objectContaining({ code: "RESTORE_MODE_UNAVAILABLE", kind: "unsupported" }),
  );
});

it("what the VMM does not take is replaced by reading, with its words", () => {
  const ondemand = chooseMode({ ...clone, requested: "ondemand" });
  expect(insteadOf(ondemand, "no userfaultfd")).toMatchObject({
    requested: "ondemand",
    used: "copy",
    reason: expect.stringContaining("no userfaultfd") as string,
    isSubstitute: true,
    limits: [],
  });
  expect(insteadOf(chooseMode(clone), "no").isSubstitute).toBe(false);
});

it("a VM on mapped memory is told what it cannot do", () => {
  const { limits } = chooseMode(clone);
  for (const word of ["resized", "virtiofs", "balloon", "reboot"])
    expect(limits.filter((limit) => limit.includes(word))).toHaveLength(1);
});

it.each([
  [53, "x64", undefined],
  [54, "x64", /version/],
  [52, "x64", /version/],
  [undefined, "x64", /version/],
  [53, "arm64", /arm64/],
])("memory is mapped by version %s on %s only where that was tried", (major, arch, why) => {
  const obstacle = cowHostObstacle(major, arch);
  if (why === undefined) expect(obstacle).toBeUndefined();
  else expect(obstacle).toMatch(why);
});
