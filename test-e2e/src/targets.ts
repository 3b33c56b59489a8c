import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineConfig, VmSpec } from "@silkvm/core";
import { buildGuest } from "./guest.ts";
import { isLong } from "./long.ts";
import { findRealVmm } from "./real-vmm.ts";

/** A VMM to run the suites on. */
export interface Target {
  readonly name: string;
  /** Why it cannot be used here; its tests are skipped then, and counted. */
  readonly missing: string | undefined;
  chBinary(): string;
  /** Settings that its VMs need. Default: none. */
  readonly settings?: Partial<EngineConfig> | undefined;
  /** The smallest VM that boots on it, with a COW disk and a PTY for its console. */
  spec(): Promise<VmSpec & { readonly boot: { readonly kernel: string } }>;
  readonly consoleEcho: { readonly send: string; readonly expect: string };
}

const small = { cpus: 1, memoryBytes: 64 * 1024 ** 2, storageBytes: 16 * 1024 ** 2 };

const simulated: Target = {
  name: "ch-sim",
  missing: undefined,
  chBinary: builtSimulator,
  // ch-sim looks at the first bytes of a kernel, and runs none of it.
  spec: async () => ({ ...small, boot: { kernel: keep("vmlinux", "\x7fELF", 0o644) } }),
  consoleEcho: { send: "echo are-you-there", expect: "are-you-there\r\n" },
};

const vmm = findRealVmm();

const real: Target = {
  name: "cloud-hypervisor",
  missing: vmm.reason,
  chBinary: () => vmm.chPath ?? "cloud-hypervisor",
  spec: async () => ({ ...small, boot: { kernel: (await buildGuest({})).kernelPath } }),
  consoleEcho: { send: "echo are-you-there", expect: "are-you-there" },
};

export const targets: readonly Target[] = [simulated, real];

/** The same for suites that take long: ch-sim stands in where the real one is missing, and runs beside it in a long run alone. */
export const mainTargets: readonly Target[] =
  real.missing !== undefined || isLong
    ? targets
    : [{ ...simulated, missing: "the real one is there" }, real];

/** The built ch-sim as one file that can be executed, on the Node that runs the tests. */
function builtSimulator(): string {
  const main = fileURLToPath(new URL("../../plugins/ch-sim/dist/main.js", import.meta.url));
  return keep("ch-sim", `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, 0o755);
}

/** A small file that tests share and nobody changes. */
function keep(name: string, content: string, mode: number): string {
  const directory = fileURLToPath(new URL("../node_modules/.cache/targets", import.meta.url));
  const path = join(directory, name);
  mkdirSync(directory, { recursive: true });
  // Renamed into place: another test may be running the one that is there.
  writeFileSync(`${path}.${process.pid}`, content, { mode });
  renameSync(`${path}.${process.pid}`, path);
  return path;
}
