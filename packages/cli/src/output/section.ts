import { type Column, renderTable } from "./table.ts";

/** A table below a title: indented, never cut, and nothing at all where there are no rows. */
export function renderSection<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  if (rows.length === 0) return "";
  return renderTable(columns, rows).replaceAll(/^(?=.)/gm, "  ");
}
