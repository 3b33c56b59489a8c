import { readFileSync } from "node:fs";
import { hasCode } from "../errors.ts";

/** What /proc/PID/stat says of a process. */
export interface ProcessStat {
  /** In clock ticks since boot. */
  readonly startTime: number;
  /** A zombie, or on its way out: it runs no code any more. */
  readonly isDead: boolean;
}

/** Reads /proc/PID/stat; undefined where there is no such process. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch (error) {
    // ESRCH: it ended between the open and the read.
    if (hasCode(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
}

/** The program's name stands second, in parentheses, and may itself hold spaces and parentheses: fields are counted behind the last one. */
export function parseProcessStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = ""] = fields;
  // Fields 20 and 22 of the whole line, whose first two were cut off.
  const threads = Number(fields[17]);
  // A process whose first thread has ended is shown as a zombie while its other threads run on.
  const isDead = state === "X" || state === "x" || (state === "Z" && threads <= 1);
  return { startTime: Number(fields[19]), isDead };
}
