import { expect, it } from "vitest";

import type { VmConfig } from "../config/types.ts";
import { Landlock } from "./landlock.ts";

const config = (rules: VmConfig["landlock_rules"]): VmConfig =>
  ({ memory: {}, rng: { src: "/dev/urandom" }, landlock_rules: rules }) as VmConfig;

it("permits everything until it is told otherwise, and then what was named", () => {
  const landlock = new Landlock();
  expect(landlock.permits("/a", true)).toBe(true);
  landlock.restrictTo(
    config([
      { path: "/d", access: "rw" },
      { path: "/r", access: "r" },
    ]),
  );
  expect(landlock.permits("/d/file", true)).toBe(true);
  expect(landlock.permits("/r/file", false)).toBe(true);
  expect(landlock.permits("/r/file", true)).toBe(false);
  expect(landlock.permits("/dd", false)).toBe(false);
});

it("never gives back what was taken", () => {
  const landlock = new Landlock();
  landlock.restrictTo(config([{ path: "/d", access: "rw" }]));
  landlock.restrictTo(
    config([
      { path: "/d/e", access: "rw" },
      { path: "/x", access: "rw" },
    ]),
  );
  expect(landlock.permits("/d/e/f", true)).toBe(true);
  expect(landlock.permits("/d/f", true)).toBe(false);
  expect(landlock.permits("/x", true)).toBe(false);
});
