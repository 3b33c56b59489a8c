import { expect, it } from "vitest";

import { jaro, mostSimilar } from "./similar.ts";

it("finds the name that was meant", () => {
  expect(mostSimilar("kern", ["api-socket", "kernel", "cpus"])).toBe("kernel");
  expect(mostSimilar("zzz", ["api-socket", "kernel", "cpus"])).toBeUndefined();
});

it("measures likeness between nothing and everything", () => {
  expect(jaro("same", "same")).toBe(1);
  expect(jaro("abc", "xyz")).toBe(0);
  expect(jaro("v", "vdpa")).toBeCloseTo(0.75);
});
