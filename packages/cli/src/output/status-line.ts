import { truncate } from "./display-width.ts";
import { printableLine } from "./printable.ts";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;
const eraseLine = "\r\u001b[K";

let line: { message: string; frame: number; readonly timer: NodeJS.Timeout } | undefined;

/**
 * Shows a line with a spinner at the bottom of the terminal behind stderr, or changes its words. Unlike oclif's own it leaves
 * `process.stdout.write` alone, so nothing that is printed is held back or lost, and it leaves nothing behind.
 */
export function showStatusLine(message: string): void {
  if (line === undefined) {
    const timer = setInterval(draw, frameMs).unref();
    line = { message, frame: 0, timer };
  } else line.message = message;
  draw();
}

/** Takes the line away; what is written next starts on a clean line. */
export function hideStatusLine(): void {
  if (line === undefined) return;
  clearInterval(line.timer);
  line = undefined;
  process.stderr.write(eraseLine);
}

/** Writes something above the line. */
export function writeAboveStatusLine(text: string): void {
  if (line === undefined) {
    process.stderr.write(text);
    return;
  }
  process.stderr.write(eraseLine + text);
  draw();
}

function draw(): void {
  if (line === undefined) return;
  line.frame = (line.frame + 1) % frames.length;
  const text = `${frames[line.frame]} ${printableLine(line.message)}`;
  process.stderr.write(eraseLine + truncate(text, (process.stderr.columns ?? 80) - 1));
}
