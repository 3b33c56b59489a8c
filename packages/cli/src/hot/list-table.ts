import { isAscii } from "node:buffer";
import type { HostDatabase, SqlValue, VmSummary } from "@silkvm/core";
import { displayWidth } from "../output/display-width.ts";
import type { Column } from "../output/table.ts";
import { type SqlColumn, sqlColumns, sqlLiteral, type TimeRange } from "./list-columns.ts";

const gap = "  ";

/** So many rows are looked at to guess what the others are like. */
const sampleSize = 96;

/** So few rows are laid out faster by JavaScript. */
const fewRows = 250;

/** With more different values than this in a column it is not worth the while. */
const mostValues = 250;

/** The table of `renderVmList` for a reader that is no terminal. */
export interface ListTable {
  readonly parts: readonly (string | Uint8Array)[];
  /** Whether a VM may be in another state than its row says. */
  readonly isUnsettled: boolean;
}

/**
 * The table, made by SQLite: no row becomes a value of JavaScript, which is what takes the time where there are many. What the columns
 * hold is guessed from some rows; where the guess turns out to be wrong, all rows are looked at first. Undefined where it cannot be made so.
 */
export function listTable(database: HostDatabase, nowMs: number): ListTable | undefined {
  const bounds = "SELECT min(seq) AS first, max(seq) AS last FROM vms";
  const { first, last } = database.prepare(bounds).get() as unknown as Bounds;
  if (first === null || last === null || last - first < fewRows) return undefined;
  const guess = layOut(database, `vms WHERE seq IN (${pick(first, last).join()})`, nowMs);
  const guessed = guess === undefined || guess.isUnsettled ? undefined : makeRows(database, guess);
  if (guess !== undefined && guessed !== undefined && fits(database, guess, guessed))
    return { parts: [heading(guess), guessed, "\n"], isUnsettled: false };
  const layout = layOut(database, "vms NOT INDEXED", nowMs);
  const rows = layout && makeRows(database, layout);
  return rows && { parts: [heading(layout), rows, "\n"], isUnsettled: layout.isUnsettled };
}

interface Bounds {
  readonly first: number | null;
  readonly last: number | null;
}

/**
 * Some numbers from `first` to `last`: the last ones, as the younger a VM is the sooner the words for its age change, and others that are
 * spread evenly and without a pattern that the rows could have, too, by the golden ratio.
 */
function pick(first: number, last: number): readonly number[] {
  const count = last - first + 1;
  const half = sampleSize / 2;
  return [
    first,
    ...Array.from(
      { length: half - 1 },
      (_, index) => first + Math.floor((((index + 1) * 0.618_033_988_75) % 1) * count),
    ),
    ...Array.from({ length: half }, (_, index) => last - index),
  ];
}

/** What is known of the table before its rows are made. */
interface Layout {
  readonly columns: readonly SqlColumn[];
  readonly widths: readonly number[];
  /** For each column, the texts of the values that were seen. */
  readonly texts: readonly ReadonlyMap<SqlValue, string>[];
  /** The shortest text of a column that is in the rows themselves. */
  readonly shortest: Readonly<Record<string, number>>;
  readonly isUnsettled: boolean;
}

interface Facts extends TimeRange {
  readonly idLength: number;
  readonly nameLength: number;
  readonly shortestId: number;
  readonly shortestName: number;
  readonly isUnsettled: number;
}

function layOut(database: HostDatabase, rows: string, nowMs: number): Layout | undefined {
  const facts = database
    .prepare(
      `SELECT max(octet_length(id)) AS idLength, max(octet_length(name)) AS nameLength,
         min(octet_length(id)) AS shortestId, min(octet_length(name)) AS shortestName, ${unsettled} AS isUnsettled,
         min(created_at) AS oldest, max(created_at) AS newest,
         min(iif(state = 'running', started_at, NULL)) AS firstStart, max(iif(state = 'running', started_at, NULL)) AS lastStart
       FROM ${rows}`,
    )
    .get() as unknown as Facts;
  const columns = facts.oldest === null ? undefined : sqlColumns(facts, nowMs);
  if (columns === undefined) return undefined;
  const keys = columns.map((column) => ("key" in column ? column.key : "NULL"));
  const kinds = `SELECT DISTINCT ${keys.map((key, index) => `${key} AS k${index}`).join(", ")} FROM ${rows}`;
  const values = database
    .prepare(
      `SELECT ${keys.map((_, index) => `json_group_array(DISTINCT k${index}) AS k${index}`).join(", ")} FROM (${kinds})`,
    )
    .get() as Record<string, string>;
  const texts = columns.map((column, index) => {
    const seen = JSON.parse(values[`k${index}`] as string) as SqlValue[];
    return new Map("key" in column ? seen.map((value) => [value, column.show(value)]) : []);
  });
  if (texts.some(({ size }) => size > mostValues)) return undefined;
  const longest: Readonly<Record<string, number>> = { id: facts.idLength, name: facts.nameLength };
  const widths = columns.map((column, index) => {
    const shown =
      "text" in column ? [] : [...(texts[index] as ReadonlyMap<SqlValue, string>).values()];
    const widest = "text" in column ? (longest[column.text] as number) : 0;
    return Math.max(displayWidth(column.column.header), widest, ...shown.map(displayWidth));
  });
  const shortest = { id: facts.shortestId, name: facts.shortestName };
  return { columns, widths, texts, shortest, isUnsettled: facts.isUnsettled === 1 };
}

/** The rows of a layout. What the layout does not know, what is longer than its width, and damaged rows are left out. */
function makeRows(
  database: HostDatabase,
  { columns, widths, texts, shortest }: Layout,
): Uint8Array | undefined {
  const cells = columns.map((column, index) => {
    const isLast = index === columns.length - 1;
    const width = widths[index] as number;
    if ("text" in column) return padded(column.text, width, shortest[column.text] === width);
    const known = texts[index] as ReadonlyMap<SqlValue, string>;
    const foreseen = column.foreseen
      .filter((value) => !known.has(value))
      .map((value) => [value, column.show(value)] as const);
    const literals = [...known, ...foreseen]
      .filter(([, text]) => displayWidth(text) <= width)
      .map(([value, text]) => {
        const shown = isLast ? text : pad(text, width, column.column.align);
        return [value, sqlLiteral(`${index === 0 ? "" : gap}${shown}`)] as const;
      });
    return column.select(new Map(literals));
  });
  const row = cells.reduce((before, cell, index) =>
    "text" in (columns[index] as SqlColumn) ? `${before}, '${gap}', ${cell}` : `${before}, ${cell}`,
  );
  const { rows } = database
    .prepare(
      `SELECT CAST(group_concat(iif(${damaged}, NULL, concat(${row})), char(10)) AS BLOB) AS rows FROM vms NOT INDEXED`,
    )
    .get() as { rows: Uint8Array | null };
  return rows !== null && isAscii(rows) ? rows : undefined;
}

/** A text of the row with blanks up to its width; nothing where it is longer, or not as long as all are expected to be. */
function padded(text: string, width: number, isEven: boolean): string {
  const length = `octet_length(${text})`;
  if (isEven) return `iif(${length} = ${width}, ${text}, NULL)`;
  return `iif(${length} <= ${width}, ${text}, NULL), substr('${" ".repeat(width)}', ${length} + 1)`;
}

/** Whether a layout that was guessed fits all rows. They are shorter than they should be where something is left out in one. */
function fits(
  database: HostDatabase,
  { columns, widths, texts }: Layout,
  rows: Uint8Array,
): boolean {
  const lastTexts = [...(texts[columns.length - 1] as ReadonlyMap<SqlValue, string>).values()];
  if (lastTexts.length !== 1) return false;
  const { count } = database.prepare("SELECT count(*) AS count FROM vms").get() as {
    count: number;
  };
  const length = widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0);
  return rows.length === count * (length + (lastTexts[0] as string).length + 1) - 1;
}

function heading({ columns, widths }: Layout): string {
  const header = columns.map(({ column }, index) =>
    pad(column.header, widths[index] as number, column.align),
  );
  return `${header.join(gap).trimEnd()}\n`;
}

/** SQL: whether a row does not hold what the engine writes, who refuses all of it then. */
export const damaged =
  "(labels <> '{}' AND NOT json_valid(labels) OR problem IS NOT NULL AND NOT json_valid(problem))";

/** SQL: 1 where a row is damaged, or its VM's state is one that may have ended without a word in the store. */
export const unsettled = `max(state NOT IN ('created', 'stopped', 'error') OR ${damaged})`;

function pad(text: string, width: number, align: Column<VmSummary>["align"]): string {
  const blanks = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "right" ? blanks + text : text + blanks;
}
