import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import type { RunningProcess } from "@silkvm/core";
import { orElse } from "../errors.ts";
import { describe, listPids } from "./find.ts";

interface FileId {
  readonly dev: number;
  readonly ino: number;
}

/**
 * Living processes, apart from this one, that hold a lock on the file. /proc/locks does not do: it gives OFD locks no owner.
 * So every open file of every process is asked for its locks; those of other users' processes are seen by root alone.
 */
export async function lockHolders(path: string): Promise<readonly RunningProcess[]> {
  const file = await orElse(stat(path), undefined, "ENOENT", "ENOTDIR");
  if (file === undefined) return [];
  const holders: RunningProcess[] = [];
  for (const pid of await listPids()) {
    if (pid === process.pid) continue;
    const holder = holdsLock(pid, file) ? describe(pid, () => true) : undefined;
    if (holder !== undefined) holders.push(holder);
    // A machine may have very many processes: others get their turn.
    await setImmediate();
  }
  return holders;
}

function holdsLock(pid: number, file: FileId): boolean {
  const descriptors = attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return descriptors.some((fd) => isLocked(pid, fd) && isSameFile(`/proc/${pid}/fd/${fd}`, file));
}

/** The first look costs the least, and sorts out sockets, pipes and the like. */
function isLocked(pid: number, fd: string): boolean {
  if (attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`))?.startsWith("/") !== true) return false;
  return /^lock:/m.test(attempt(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, "latin1")) ?? "");
}

function isSameFile(path: string, { dev, ino }: FileId): boolean {
  const stats = attempt(() => statSync(path));
  return stats !== undefined && stats.dev === dev && stats.ino === ino;
}

/** Processes end, close files and belong to others while they are looked at: what cannot be seen is not there. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
