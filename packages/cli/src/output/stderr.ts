import { styleText } from "node:util";
import { hasColor } from "./color.ts";
import { printable } from "./printable.ts";
import { writeAboveStatusLine } from "./status-line.ts";

/** Says something to the person in front of the terminal, apart from what the command prints. */
export function say(text: string): void {
  writeAboveStatusLine(`${printable(text)}\n`);
}

/** Says what the user should know of though nothing failed: one line. */
export function warn(text: string): void {
  const prefix = hasColor(process.stderr)
    ? styleText("yellow", "Warning:", { validateStream: false })
    : "Warning:";
  writeAboveStatusLine(`${prefix} ${printable(text).trimEnd()}\n`);
}
