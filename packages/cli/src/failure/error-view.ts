import { styleText } from "node:util";
import type { SilkErrorJson } from "@silkvm/core";
import { printable } from "../output/printable.ts";

const issues = "https://github.com/silkvm/silk/issues";

export interface ErrorView {
  readonly color: boolean;
  /** Shown below the error: for people who debug. */
  readonly stack?: string | undefined;
}

/** An error for people: what went wrong, why where that says more, and what to do. */
export function renderError(error: SilkErrorJson, view: ErrorView): string {
  const paint = (style: "red" | "cyan" | "dim", text: string): string =>
    view.color ? styleText(style, text, { validateStream: false }) : text;
  const [first = "", ...rest] = printable(error.message).split("\n");
  const lines = [`${paint("red", "Error:")} ${first}`, ...rest.map((line) => `  ${line}`)];
  for (const cause of error.causes ?? []) {
    // An abort explains nothing.
    if (/operation was aborted/i.test(cause)) continue;
    lines.push(...indent(`because: ${printable(cause)}`));
  }
  const hint = error.hint ?? internalHint(error);
  if (hint !== undefined) lines.push(`${paint("cyan", "Hint:")} ${printable(hint)}`);
  if (view.stack !== undefined) lines.push(paint("dim", printable(view.stack)));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function indent(text: string): string[] {
  return text.split("\n").map((line) => `  ${line}`);
}

function internalHint({ kind }: SilkErrorJson): string | undefined {
  if (kind !== "internal") return undefined;
  return `This is a fault in silk or in a plugin. Please report it at ${issues} with what the same command says with --log-level debug.`;
}
