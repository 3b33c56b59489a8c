import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "./suggest.ts";

describe("nearest", () => {
  const known = ["list", "start", "stop", "status", "run", "rm"];

  it.each([
    ["lits", "list"],
    ["lst", "list"],
    ["strat", "start"],
    ["statsu", "status"],
    ["stopp", "stop"],
    ["rn", "run"],
  ])("takes %s for %s", (typed, meant) => {
    expect(nearest(typed, known)).toBe(meant);
  });

  it.each(["foo", "kubernetes", "x"])("has no idea what %s could be", (typed) => {
    expect(nearest(typed, known)).toBeUndefined();
  });
});

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["abc", "abc", 0],
    ["abc", "", 3],
    ["abc", "abd", 1],
    ["abc", "acb", 1],
    ["kitten", "sitting", 3],
  ])("between %j and %j is %d", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});
