import { describe, expect, it } from "vitest";
import { displayWidth, truncate } from "./display-width.ts";

describe("displayWidth", () => {
  it.each([
    ["", 0],
    ["web-1", 5],
    ["größe", 5],
    ["e\u0301", 1],
    ["日本", 4],
    ["한국", 4],
    ["🚀", 2],
    ["👩‍👩‍👧", 2],
    ["❤️", 2],
    ["\u200b", 0],
  ])("of %s is %d cells", (text, cells) => {
    expect(displayWidth(text)).toBe(cells);
  });
});

describe("truncate", () => {
  it.each([
    ["web", 3, "web"],
    ["webserver", 4, "web…"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["日本語", 6, "日本語"],
    ["web", 1, "…"],
    ["web", 0, ""],
  ])("cuts %s to %d cells: %s", (text, width, cut) => {
    expect(truncate(text, width)).toBe(cut);
    expect(displayWidth(cut)).toBeLessThanOrEqual(width);
  });
});
