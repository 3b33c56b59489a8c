import { styleText } from "node:util";
import { displayWidth, truncate } from "./display-width.ts";

type Style = Parameters<typeof styleText>[0];

export interface Column<T> {
  readonly header: string;
  readonly align?: "left" | "right" | undefined;
  /** The narrowest that the column may become where the terminal is too narrow; left out for a column that is never cut. */
  readonly shrinkTo?: number | undefined;
  cell(row: T): string;
  readonly style?: ((row: T) => Style | undefined) | undefined;
}

export interface TableOptions {
  /** Cells of the terminal; left out where nothing is to be cut. */
  readonly width?: number | undefined;
  readonly color?: boolean | undefined;
}

const gap = "  ";

/** A table with a header, its columns aligned; every line ends with a newline and none with blanks. */
export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  options: TableOptions = {},
): string {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map((column, index) =>
    cells.reduce(
      (widest, row) => Math.max(widest, displayWidth(row[index] as string)),
      displayWidth(column.header),
    ),
  );
  if (options.width !== undefined) shrink(columns, widths, options.width);
  const lines = [columns.map(({ header }) => header), ...cells].map((line, at) => {
    const row = at === 0 ? undefined : rows[at - 1];
    const shown = columns.map((column, index) => {
      const text = pad(
        truncate(line[index] as string, widths[index] as number),
        widths[index] as number,
        column.align,
      );
      const style = options.color === true && row !== undefined ? column.style?.(row) : undefined;
      return style === undefined ? text : styleText(style, text, { validateStream: false });
    });
    return shown.join(gap).trimEnd();
  });
  return lines.map((line) => `${line}\n`).join("");
}

function pad(text: string, width: number, align: Column<unknown>["align"]): string {
  const blanks = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "right" ? blanks + text : text + blanks;
}

/** Takes from the widest column that may shrink, cell by cell, until the table fits or nothing is left to take. */
function shrink(columns: readonly Column<never>[], widths: number[], available: number): void {
  let excess =
    widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1) - available;
  while (excess > 0) {
    let widest = -1;
    for (const [index, { shrinkTo }] of columns.entries()) {
      const width = widths[index] as number;
      if (shrinkTo === undefined || width <= shrinkTo) continue;
      if (widest === -1 || width > (widths[widest] as number)) widest = index;
    }
    if (widest === -1) return;
    widths[widest] = (widths[widest] as number) - 1;
    excess -= 1;
  }
}
