import { expect, it } from "vitest";
import { parseInteger } from "./integer.ts";

it("reads whole numbers from the least on", () => {
  expect(parseInteger("4", { min: 1 })).toBe(4);
  expect(parseInteger("0", { min: 0 })).toBe(0);
});

it.each(["", "-1", "1.5", "1e3", "0x1", "four", "99999999999999999999"])("refuses %j", (text) => {
  expect(() => parseInteger(text, { min: 0 })).toThrow("is no whole number");
});

it("refuses what is less than the least", () => {
  expect(() => parseInteger("0", { min: 1 })).toThrow("0 is too small: it must be at least 1");
});
