import type { Line, Result } from "./suite.ts";

/** A result for people. */
export function renderResult(result: Result): string {
  return `\n${result.title}\n${table(rowsOf(result))}\n`;
}

function rowsOf(result: Result): string[][] {
  if ("lines" in result)
    return [heading, ...result.lines.map((line) => cells(line, result.lines[0] as Line))];
  return [["", ...result.columns], ...result.rows.map(({ name, cells: own }) => [name, ...own])];
}

const heading = ["", "median", "min", "max", "runs", "ratio", "of the fastest", "more", "aim"];

function cells(line: Line, peer: Line): string[] {
  const isPeer = line === peer;
  return [
    line.name,
    duration(line.medianMs),
    duration(line.minMs),
    duration(line.maxMs),
    String(line.runs),
    isPeer ? "" : line.ratio.toFixed(2),
    isPeer ? "" : line.minRatio.toFixed(2),
    isPeer ? "" : duration(line.extraMs),
    aim(line),
  ];
}

function aim({ aim: ratio, aimExtraMs, ...line }: Line): string {
  if (ratio !== undefined) return `${line.ratio <= ratio ? "met" : "missed"} (${ratio})`;
  if (aimExtraMs === undefined) return "";
  return `${line.extraMs <= aimExtraMs ? "met" : "missed"} (+${duration(aimExtraMs)})`;
}

function duration(ms: number): string {
  return Math.abs(ms) < 1 ? `${(ms * 1000).toFixed(0)} µs` : `${ms.toFixed(1)} ms`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) =>
    Math.max(...rows.map((row) => (row[index] as string).length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, index) =>
          index === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[index] as number),
        )
        .join("  ")
        .trimEnd(),
    )
    .map((row) => `${row}\n`)
    .join("");
}
