import { accessSync, chmodSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chSimPath } from "@silkvm/ch-sim";
import { linuxHost } from "@silkvm/sys";

/** A VMM to test with. */
export interface TestVmm {
  readonly name: string;
  /** The program; undefined where it cannot run here. */
  readonly path: string | undefined;
}

export const simulatedVmm: TestVmm & { readonly path: string } = {
  name: "ch-sim",
  path: simulatorProgram(),
};

export const realVmm: TestVmm = {
  name: "cloud-hypervisor",
  path: canOpenKvm() ? await linuxHost().processes.which("cloud-hypervisor") : undefined,
};

export const vmms: readonly TestVmm[] = [simulatedVmm, realVmm];

/** The simulator as a program, run from its sources. */
function simulatorProgram(): string {
  const dir = mkdtempSync(join(tmpdir(), "silk-ch-sim-"));
  const path = join(dir, "cloud-hypervisor");
  const node = `'${process.execPath}' --conditions=@silkvm/source --disable-warning=ExperimentalWarning`;
  writeFileSync(path, `#!/bin/sh\nexec ${node} '${chSimPath}' "$@"\n`);
  chmodSync(path, 0o755);
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
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
