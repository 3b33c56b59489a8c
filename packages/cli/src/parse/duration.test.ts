import { describe, expect, it } from "vitest";
import { parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.each([
    ["0", 0],
    ["30", 30_000],
    ["1.5", 1500],
    ["500ms", 500],
    ["30s", 30_000],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    ["1m30s", 90_000],
    ["0.5s", 500],
  ])("reads %s as %d milliseconds", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "s", "-1", "1 s", "1S", "1w", "1s30", "s1", "1e3", "∞"])("refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow(
      "is no duration: it is no number with an optional unit",
    );
  });

  it("refuses what a timer cannot wait for", () => {
    expect(() => parseDuration("25d")).toThrow("it is longer than 24 days");
    expect(() => parseDuration("99999999999999999999")).toThrow("it is longer than 24 days");
  });
});
