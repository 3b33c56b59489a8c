import { readdir } from "node:fs/promises";
import type { RunningProcess } from "@silkvm/core";
import { readArgv } from "./cmdline.ts";
import { identify, isAlive } from "./identity.ts";

/** After so many processes others get their turn: a host may have tens of thousands. */
const sliceSize = 250;

/** Pids of this machine, in the order of /proc. */
export async function listPids(): Promise<readonly number[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Living processes whose arguments satisfy the test. */
export async function find(
  test: (argv: readonly string[]) => boolean,
): Promise<readonly RunningProcess[]> {
  const pids = await listPids();
  const found: RunningProcess[] = [];
  for (const [index, pid] of pids.entries()) {
    if (index % sliceSize === sliceSize - 1) await new Promise(setImmediate);
    const process = test(readArgv(pid)) ? describe(pid, test) : undefined;
    if (process !== undefined) found.push(process);
  }
  return found;
}

/** The process under a pid, if its arguments satisfy the test. */
export function describe(
  pid: number,
  test: (argv: readonly string[]) => boolean,
): RunningProcess | undefined {
  const identity = identify(pid);
  if (identity === undefined) return undefined;
  const argv = readArgv(pid);
  // Asked again: the arguments are those of a newcomer where the process ended and its pid was given away in between.
  if (argv.length === 0 || !test(argv) || !isAlive(identity)) return undefined;
  return { identity, argv };
}
