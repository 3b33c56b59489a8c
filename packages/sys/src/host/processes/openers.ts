import { readdirSync, readlinkSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { FileOpener } from "@silkvm/core";
import { describe, listPids } from "./find.ts";

/**
 * Living processes, apart from this one, that have one of the files open. Names are compared, as a file that is opened keeps its own: a device's
 * node is one file however many places have one.
 */
export async function openers(paths: readonly string[]): Promise<readonly FileOpener[]> {
  const wanted = new Set(paths);
  const found: FileOpener[] = [];
  if (wanted.size === 0) return found;
  for (const pid of await listPids()) {
    if (pid === process.pid) continue;
    const open = filesOf(pid).filter((path) => wanted.has(path));
    const opener = open.length === 0 ? undefined : describe(pid, () => true);
    if (opener !== undefined)
      for (const path of new Set(open)) found.push({ path, process: opener });
    // A machine may have very many processes: others get their turn.
    await setImmediate();
  }
  return found;
}

/** Processes end, close files and belong to others while they are looked at: what cannot be seen is not there. */
function filesOf(pid: number): readonly string[] {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).flatMap((fd) => {
      try {
        return [readlinkSync(`${directory}/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
