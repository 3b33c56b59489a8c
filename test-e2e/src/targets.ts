import { mkdtempSync, writeFileSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { VmSpec } from "@silkvm/core";
import { buildGuest } from "./guest.ts";
import { findRealVmm } from "./real-vmm.ts";

/** A VMM to run the suites on. */
export interface Target {
  readonly name: string;
  /** Why it cannot be used here; its tests are skipped then, and counted. */
  readonly missing: string | undefined;
  chBinary(): string;
  /** The smallest VM that boots on it, with a COW disk and a PTY for its console. */
  spec(): Promise<VmSpec>;
  readonly consoleEcho: { readonly send: string; readonly expect: string };
}

const small = { cpus: 1, memoryBytes: 64 * 1024 ** 2, storageBytes: 16 * 1024 ** 2 };

const simulated: Target = {
  name: "ch-sim",
  missing: undefined,
  chBinary: builtSimulator,
  spec: async () => {
    const kernel = join(await mkdtemp(join(tmpdir(), "silk-kernel-")), "vmlinux");
    // ch-sim looks at the first bytes of a kernel, and runs none of it.
    await writeFile(kernel, "\x7fELF");
    return { ...small, boot: { kernel } };
  },
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

/** The built ch-sim as one file that can be executed, on the Node that runs the tests. */
function builtSimulator(): string {
  const main = fileURLToPath(new URL("../../plugins/ch-sim/dist/main.js", import.meta.url));
  const path = join(mkdtempSync(join(tmpdir(), "silk-ch-sim-")), "ch-sim");
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 });
  return path;
}
