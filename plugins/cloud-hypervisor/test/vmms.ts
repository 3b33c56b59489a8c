import { accessSync, constants } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chSimPath } from "@silkvm/ch-sim";
import { linuxHost } from "@silkvm/sys";

/** A VMM to test with. */
export interface TestVmm {
  readonly name: string;
  /** Whether it can run on this machine. */
  readonly isHere: boolean;
  /** The program; where it has to be made for the test, it is made in the directory. */
  program(dir: string): Promise<string>;
}

/** The simulator, run from its sources. */
export const simulatedVmm: TestVmm = {
  name: "ch-sim",
  isHere: true,
  program: (dir) => {
    const node = `'${process.execPath}' --conditions=@silkvm/source --disable-warning=ExperimentalWarning`;
    return makeScript(join(dir, "cloud-hypervisor"), `exec ${node} '${chSimPath}' "$@"`);
  },
};

const found = await linuxHost().processes.which("cloud-hypervisor");

export const realVmm: TestVmm = {
  name: "cloud-hypervisor",
  isHere: found !== undefined && canOpenKvm(),
  program: async () => found ?? "cloud-hypervisor",
};

export const vmms: readonly TestVmm[] = [simulatedVmm, realVmm];

/** Writes a shell script that can be run, and gives its path. */
export async function makeScript(path: string, lines: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${lines}\n`);
  await chmod(path, 0o755);
  return path;
}

function canOpenKvm(): boolean {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
