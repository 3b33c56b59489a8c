import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { formatAgo, formatSpan } from "../output/relative-time.ts";
import { stretchesOf, stretchLiteral } from "./moments.ts";

const nowMs = Date.parse("2026-11-23T20:00:00.000Z");
const iso = (spanMs: number): string => new Date(nowMs - spanMs).toISOString();
const span = fc.oneof(
  fc.integer({ min: -10_000, max: 200_000 }),
  fc.integer({ min: 0, max: 50 * 31_536_000_000 }),
  // Around the moments at which the words change.
  fc
    .tuple(
      fc.constantFrom(1, 60, 3600, 86_400, 604_800, 2_592_000, 31_536_000),
      fc.nat(70),
      fc.integer({ min: -1, max: 1 }),
    )
    .map(([unit, count, off]) => unit * 1000 * count + off),
);

it("a moment is shown with the words of the stretch that SQLite finds it in", () => {
  using database = new DatabaseSync(":memory:");
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 20 }), (spans) => {
      const moments = spans.map(iso).toSorted();
      const stretches = stretchesOf(moments[0] as string, moments.at(-1) as string, nowMs);
      const indices = stretches.map((_, index) => String(index));
      const found = database.prepare(
        `SELECT ${stretchLiteral("column1", stretches, indices)} AS at FROM (VALUES (?))`,
      );
      for (const moment of moments) {
        const stretch = stretches[found.get(moment)?.["at"] as number];
        expect(formatAgo(stretch?.moment as string, nowMs)).toBe(formatAgo(moment, nowMs));
        expect(formatSpan(nowMs - Date.parse(stretch?.moment as string))).toBe(
          formatSpan(Math.max(0, nowMs - Date.parse(moment))),
        );
      }
    }),
    { numRuns: 500 },
  );
});

it("a moment outside of the stretches is in none", () => {
  using database = new DatabaseSync(":memory:");
  const stretches = stretchesOf(iso(3 * 3_600_000), iso(3_600_000), nowMs);
  const found = database.prepare(
    `SELECT ${stretchLiteral(
      "column1",
      stretches,
      stretches.map((_, index) => String(index)),
    )} AS at FROM (VALUES (?))`,
  );
  expect(found.get(iso(4 * 3_600_000))?.["at"]).toBeNull();
  expect(found.get(iso(3_599_999))?.["at"]).toBeNull();
  expect(found.get(iso(4 * 3_600_000 - 1))?.["at"]).toBe(0);
  expect(found.get(iso(3_600_000))?.["at"]).toBe(2);
});
