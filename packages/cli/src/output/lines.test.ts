import * as fc from "fast-check";
import { expect, it } from "vitest";
import { splitLines } from "./lines.ts";

async function* inPieces(pieces: readonly string[]): AsyncGenerator<string> {
  yield* pieces;
}

it("puts lines together, however the text was cut", async () => {
  expect(await Array.fromAsync(splitLines(inPieces(["a\nb", "", "c\n", "\n", "d"])))).toEqual([
    "a",
    "bc",
    "",
    "d",
  ]);
});

it("leaves out the carriage return of a VMM that writes as to a terminal", async () => {
  expect(await Array.fromAsync(splitLines(inPieces(["a\r", "\nb\rc\r\n", "d\r"])))).toEqual([
    "a",
    "b\rc",
    "d",
  ]);
});

it("finds the same lines in any pieces", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.stringMatching(/^[ab\n]*$/)), async (pieces) => {
      const text = pieces.join("");
      const lines = text.split("\n");
      if (lines.at(-1) === "") lines.pop();
      expect(await Array.fromAsync(splitLines(inPieces(pieces)))).toEqual(lines);
    }),
  );
});
