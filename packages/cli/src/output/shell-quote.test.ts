import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { shellQuote } from "./shell-quote.ts";

it.each([
  ["--cpus", "--cpus"],
  ["boot=2,max=4", "boot=2,max=4"],
  ["", "''"],
  ["a b", "'a b'"],
  ["it's", String.raw`'it'\''s'`],
  ["queue_affinity=[0@[0]]", "'queue_affinity=[0@[0]]'"],
])("%s becomes %s", (word, quoted) => {
  expect(shellQuote(word)).toBe(quoted);
});

it("gives a shell back the very words that it was given", () => {
  const texts = fc.array(
    fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(texts, (words) => {
      const printed = execFileSync("/bin/sh", [
        "-c",
        `printf '%s\\0' ${words.map(shellQuote).join(" ")}`,
      ]);
      const expected = words.map((word) => `${Buffer.from(word).toString()}\0`).join("");
      expect(printed.toString()).toBe(expected);
    }),
    { numRuns: 30 },
  );
});
