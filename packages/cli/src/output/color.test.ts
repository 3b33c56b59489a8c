import { expect, it } from "vitest";
import { hasColor } from "./color.ts";

it("shows colours on a terminal alone", () => {
  expect(hasColor({ isTTY: true }, {})).toBe(true);
  expect(hasColor({ isTTY: false }, {})).toBe(false);
});

it("shows none where somebody said NO_COLOR, or the terminal has none", () => {
  expect(hasColor({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
  expect(hasColor({ isTTY: true }, { NO_COLOR: "" })).toBe(true);
  expect(hasColor({ isTTY: true }, { TERM: "dumb" })).toBe(false);
});
