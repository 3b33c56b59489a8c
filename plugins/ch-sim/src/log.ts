import { openSync, writeSync } from "node:fs";

/** How serious a line is, as the real program writes it. */
export type Level = "ERROR" | "WARN" | "INFO" | "DEBUG" | "TRACE";

const LEVELS: readonly Level[] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
const started = process.hrtime.bigint();

let ready = false;
let target = 2;
let verbosity = 1;
let format = "cloud-hypervisor: {boottime}s: <{thread}> {level}:{location} -- {msg}";

/** Where the log goes and how much of it. Throws Node's error where the file cannot be made. */
export function setUpLog(options: {
  readonly file: string | undefined;
  readonly verbose: number;
  readonly format: string;
}): void {
  if (options.file !== undefined) target = openSync(options.file, "w", 0o600);
  verbosity = 1 + options.verbose;
  format = options.format;
  ready = true;
}

/** Nanoseconds since the program started. */
export function sinceStart(): bigint {
  return process.hrtime.bigint() - started;
}

/** Writes a line, unless it is less serious than what was asked for, or the log has not been set up. A log that cannot be written is no reason to stop. */
export function log(thread: string, level: Level, location: string, message: string): void {
  if (!ready || LEVELS.indexOf(level) > verbosity) return;
  const seconds = (Number(sinceStart() / 1000n) / 1e6).toFixed(6).padStart(10);
  const line = format
    .replace("{boottime}", seconds)
    .replace("{wallclock}", new Date().toISOString())
    .replace("{thread}", thread)
    .replace("{level}", level)
    .replace("{location}", location)
    .replace("{msg}", () => message);
  write(target, `${line}\n`);
}

/** Writes to standard error, whatever the log is. */
export function printError(text: string): void {
  write(2, text);
}

/** Writes to standard output. */
export function print(text: string): void {
  write(1, text);
}

function write(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch {
    // Closed, or a pipe whose reader has gone.
  }
}
