import { closeSync } from "node:fs";
import type { ProcessIdentity } from "@silkvm/core";
import { pidfdOpen } from "../../pidfd.ts";
import { hasCode } from "../errors.ts";
import { isAlive } from "./identity.ts";

/**
 * Runs a function with a pidfd of this very process; undefined where it is dead. The pidfd is opened first and the identity
 * compared after that: from then on it cannot come to mean another process, whoever gets the pid.
 */
export async function withPinned<T>(
  identity: ProcessIdentity,
  run: (pidfd: number) => T | Promise<T>,
): Promise<T | undefined> {
  if (!isAlive(identity)) return undefined;
  const pidfd = openOrUndefined(identity.pid);
  if (pidfd === undefined) return undefined;
  try {
    return isAlive(identity) ? await run(pidfd) : undefined;
  } finally {
    closeSync(pidfd);
  }
}

function openOrUndefined(pid: number): number | undefined {
  try {
    return pidfdOpen(pid);
  } catch (error) {
    if (hasCode(error, "ESRCH")) return undefined;
    throw error;
  }
}
