import { hideStatusLine } from "./status-line.ts";
import { toJson } from "./to-json.ts";

/** Writes to stdout, where no progress line is in the way. What a reader that has gone does not take is nobody's loss: see `guardOutput`. */
export function print(text: string): void {
  hideStatusLine();
  process.stdout.write(text);
}

export function printLine(text: string): void {
  print(`${text}\n`);
}

/** One JSON document: indented where a person looks at it. */
export function printJson(value: unknown): void {
  print(toJson(value, process.stdout.isTTY));
}

/** One line of a stream of JSON documents. */
export function printNdjson(value: unknown): void {
  print(toJson(value, false));
}

/** Cells of the terminal behind stdout; undefined where there is none, and nothing needs to be cut. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}
