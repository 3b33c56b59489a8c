import * as fc from "fast-check";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { displayWidth } from "./display-width.ts";
import { type Column, renderTable } from "./table.ts";

interface Row {
  readonly name: string;
  readonly size: number;
}

const columns: readonly Column<Row>[] = [
  { header: "NAME", cell: ({ name }) => name, shrinkTo: 4, style: () => "green" },
  { header: "SIZE", align: "right", cell: ({ size }) => String(size) },
];
const rows = [
  { name: "web", size: 10 },
  { name: "日本", size: 1000 },
  { name: "a-long-name", size: 1 },
];

describe("renderTable", () => {
  it("aligns columns by the cells that they take", () => {
    expect(renderTable(columns, rows)).toMatchInlineSnapshot(`
      "NAME         SIZE
      web            10
      日本         1000
      a-long-name     1
      "
    `);
  });

  it("is its header where there is nothing to show", () => {
    expect(renderTable(columns, [])).toBe("NAME  SIZE\n");
  });

  it("cuts what may be cut where the terminal is too narrow", () => {
    expect(renderTable(columns, rows, { width: 12 })).toMatchInlineSnapshot(`
      "NAME    SIZE
      web       10
      日本    1000
      a-lon…     1
      "
    `);
  });

  it("is too wide rather than unreadable in a terminal that is far too narrow", () => {
    const lines = renderTable(columns, rows, { width: 3 }).split("\n");
    expect(lines[3]).toBe("a-l…     1");
  });

  it("paints cells and nothing else", () => {
    const painted = renderTable(columns, rows, { color: true });
    expect(painted).toContain("\u001b[32mweb");
    expect(stripVTControlCharacters(painted).replaceAll(/ +$/gm, "")).toBe(
      renderTable(columns, rows),
    );
  });

  it("has lines that end without blanks and fit the terminal, whatever is in it", () => {
    const anyRows = fc.array(fc.record({ name: fc.string({ unit: "grapheme" }), size: fc.nat() }));
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 17, max: 60 }), (some, width) => {
        const lines = renderTable(columns, some, { width }).split("\n");
        expect(lines.length).toBe(some.length + 2);
        for (const line of lines) {
          expect(line).toBe(line.trimEnd());
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
        }
      }),
    );
  });
});
