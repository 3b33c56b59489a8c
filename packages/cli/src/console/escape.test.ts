import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Action, escapeReader, formatEscapeChar, parseEscapeChar } from "./escape.ts";

const escape = 0x1d;

function readAll(pieces: readonly string[], read = escapeReader(escape)): string[] {
  return pieces.flatMap((piece) => read(Buffer.from(piece, "latin1")).map(describeAction));
}

function describeAction(action: Action): string {
  return action.type === "send" ? Buffer.from(action.bytes).toString("latin1") : `<${action.type}>`;
}

describe("parseEscapeChar", () => {
  it.each([
    ["^]", 0x1d],
    ["^A", 1],
    ["^a", 1],
    ["^@", 0],
    ["~", 0x7e],
    ["^", 0x5e],
    ["none", undefined],
  ])("reads %s", (text, byte) => {
    expect(parseEscapeChar(text)).toBe(byte);
    if (byte !== undefined) expect(formatEscapeChar(byte)).toBe(text.toUpperCase());
  });

  it.each(["", "ab", "^1", "é", " ", ".", "?", "\u001d"])("refuses %j", (text) => {
    expect(() => parseEscapeChar(text)).toThrow("is no escape character");
  });
});

describe("escapeReader", () => {
  it("sends what is typed", () => {
    expect(readAll(["ls -l\r"])).toEqual(["ls -l\r"]);
  });

  it("leaves at the escape character and a dot, and drops what comes after", () => {
    expect(readAll(["ab\u001d.cd"])).toEqual(["ab", "<leave>"]);
  });

  it("helps at a question mark, in between", () => {
    expect(readAll(["a\u001d?b"])).toEqual(["a", "<help>", "b"]);
  });

  it("sends the escape character when it is typed twice, and before anything else", () => {
    expect(readAll(["\u001d\u001d"])).toEqual(["\u001d"]);
    expect(readAll(["\u001dx"])).toEqual(["\u001dx"]);
  });

  it("waits for the command of an escape character that ended a piece", () => {
    expect(readAll(["a\u001d", ".", "b"])).toEqual(["a", "<leave>", "b"]);
    expect(readAll(["\u001d", "\u001d", "."])).toEqual(["\u001d", "."]);
  });

  it("takes nothing from the guest where there is no escape character", () => {
    expect(readAll(["a\u001d.b"], escapeReader(undefined))).toEqual(["a\u001d.b"]);
  });

  it("does the same however what is typed is cut into pieces", () => {
    const typed = fc.array(fc.constantFrom("\u001d", "?", "a", "\u0000", "ÿ"), { maxLength: 30 });
    fc.assert(
      fc.property(typed, fc.integer({ min: 1, max: 5 }), (keys, size) => {
        const text = keys.join("");
        const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
        expect(readAll(pieces).join("")).toBe(readAll([text]).join(""));
      }),
    );
  });
});
