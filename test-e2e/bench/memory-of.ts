import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Engine, Vm } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";

/** What processes take, in MiB. */
export interface Taken {
  /** With what they share counted in parts. */
  readonly pssMib: number;
  /** What nobody else has. */
  readonly anonymousMib: number;
}

/** Sum over the VMMs of these VMs, helper processes included. */
export async function memoryOf(vms: readonly Pick<Vm, "id">[], engine: Engine): Promise<Taken> {
  const { processes } = linuxHost();
  const sums = { pssMib: 0, anonymousMib: 0 };
  for (const { id } of vms) {
    const { apiSocketPath } = (await engine.inspect(id)).paths;
    for (const { identity } of await processes.find((argv) => argv.includes(apiSocketPath))) {
      const text = await readFile(`/proc/${identity.pid}/smaps_rollup`, "utf8");
      sums.pssMib += kibibytes(text, "Pss") / 1024;
      sums.anonymousMib += kibibytes(text, "Anonymous") / 1024;
    }
  }
  return sums;
}

function kibibytes(text: string, what: string): number {
  const [, value] = new RegExp(`^${what}:\\s+(\\d+) kB$`, "m").exec(text) ?? [];
  if (value === undefined) throw new Error(`the kernel tells no ${what}`);
  return Number(value);
}

/** The most memory that a process has had so far, in MiB. Undefined once it has ended. */
export function peakOf(pid: number): number | undefined {
  try {
    return kibibytes(readFileSync(`/proc/${pid}/status`, "utf8"), "VmHWM") / 1024;
  } catch {
    return undefined;
  }
}
