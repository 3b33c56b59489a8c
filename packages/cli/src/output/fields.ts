import { displayWidth } from "./display-width.ts";
import { printableLine } from "./printable.ts";

/** A name and a value; a value that is undefined is left out. */
export type Field = readonly [name: string, value: string | number | undefined];

/** Names and values below each other, the values aligned. */
export function renderFields(fields: readonly Field[], indent = ""): string {
  const shown = fields.filter((field) => field[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => displayWidth(name)));
  return shown
    .map(([name, value]) => {
      const blanks = " ".repeat(width - displayWidth(name) + 2);
      return `${indent}${name}${blanks}${printableLine(String(value))}`.trimEnd() + "\n";
    })
    .join("");
}
