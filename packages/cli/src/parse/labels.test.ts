import { describe, expect, it } from "vitest";
import { parseLabels } from "./labels.ts";

describe("parseLabels", () => {
  it("reads keys and values; a value may hold anything, and be empty", () => {
    expect(parseLabels(["team=web", "note=a=b, c", "gpu="])).toEqual({
      team: "web",
      note: "a=b, c",
      gpu: "",
    });
  });

  it("keeps a key that objects have by birth", () => {
    expect(Object.entries(parseLabels(["__proto__=x", "constructor=y"]))).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  it.each(["", "team", "=web"])("refuses %j", (text) => {
    expect(() => parseLabels([text])).toThrow("is no label");
  });

  it("refuses a key that is given twice", () => {
    expect(() => parseLabels(["a=1", "a=2"])).toThrow('--label: "a" is given twice');
  });
});
