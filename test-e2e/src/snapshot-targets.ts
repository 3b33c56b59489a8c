import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nestedStateShim } from "./guest.ts";
import { type GuestWords, realGuest, simulatedGuest } from "./snapshot-guest.ts";
import { mainTargets, type Target, targets } from "./targets.ts";

/** A VMM that VMs can be saved on, and what its guest understands. */
export interface SnapshotTarget extends Target {
  readonly guest: GuestWords;
  /** Builds what the VMM needs to save VMs on this host. @returns the program */
  vmm(): Promise<string>;
}

const withSnapshots = (target: Target): SnapshotTarget =>
  target.name === "ch-sim"
    ? { ...target, guest: simulatedGuest, vmm: async () => target.chBinary() }
    : { ...target, guest: realGuest, vmm: () => shimmed(target.chBinary()) };

export const snapshotTargets: readonly SnapshotTarget[] = targets.map(withSnapshots);
/** Those for suites that take long. */
export const mainSnapshotTargets: readonly SnapshotTarget[] = mainTargets.map(withSnapshots);

/** A script that runs a program as it is, but for a KVM that does not give nested state away. */
async function shimmed(program: string): Promise<string> {
  const { libraryPath } = await nestedStateShim({});
  const directory = fileURLToPath(new URL("../node_modules/.cache/snapshot", import.meta.url));
  const path = join(directory, "cloud-hypervisor");
  mkdirSync(directory, { recursive: true });
  // Renamed into place: another test may be running the one that is there.
  writeFileSync(
    `${path}.${process.pid}`,
    `#!/bin/sh\nexport LD_PRELOAD='${libraryPath}'\nexec '${program}' "$@"\n`,
    { mode: 0o755 },
  );
  renameSync(`${path}.${process.pid}`, path);
  return path;
}
