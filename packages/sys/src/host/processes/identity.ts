import type { ProcessIdentity } from "@silkvm/core";
import { bootId } from "../facts.ts";
import { readProcessStat } from "./process-stat.ts";

let knownSelf: ProcessIdentity | undefined;

/** This process. */
export function self(): ProcessIdentity {
  knownSelf ??= identify(process.pid);
  if (knownSelf === undefined)
    throw new Error("/proc is not mounted, or shows another pid namespace");
  return knownSelf;
}

/** Who runs under this pid now; undefined where nobody does. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = isPid(pid) ? readProcessStat(pid) : undefined;
  if (stat === undefined || stat.isDead) return undefined;
  return { bootId: bootId(), pid, startTime: stat.startTime };
}

/** Whether this very process runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (!isPid(identity.pid) || identity.bootId !== bootId()) return false;
  const stat = readProcessStat(identity.pid);
  return stat !== undefined && !stat.isDead && stat.startTime === identity.startTime;
}

function isPid(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 0;
}
