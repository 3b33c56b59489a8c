import { dirname, join } from "node:path";
import type { VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { stagedDir } from "./snapshot-names.ts";
import { type StagedDisk, stagedDisk } from "./staged-disk.ts";

/** Says that what is staged is whole and takes the place of the VM's own: from here on there is no way back. */
const committedName = "COMMITTED";

/** With the VM's VMM dead, makes the exchange of its disks certain: whatever happens next, {@link finishSwap} brings it to its end. */
export async function commitSwap(machine: Machine, vm: VmRecord): Promise<void> {
  const { host, paths } = machine;
  const directory = stagedDir(paths(vm));
  await host.files.writeAtomic(join(directory, committedName), "", { mode: 0o600 });
  await host.files.sync(directory);
}

/**
 * Settles what a restore has staged: finishes an exchange of disks that was certain, and removes what is staged otherwise. Nothing staged is
 * fine. No VMM of the VM may run where something is.
 */
export async function finishSwap(machine: Machine, vm: VmRecord): Promise<void> {
  const { host, paths } = machine;
  const directory = stagedDir(paths(vm));
  if ((await host.files.stat(directory)) === undefined) return;
  const names = await host.files.list(directory);
  const disks = await stagedDisks(machine, vm);
  if (names.includes(committedName)) await exchange(machine, disks);
  else for (const { staged } of disks) await host.files.remove(staged);
  await host.files.remove(directory);
}

/** Puts each staged disk that is still there into its place. */
export async function exchange({ host }: Machine, disks: readonly StagedDisk[]): Promise<void> {
  const directories = new Set<string>();
  for (const { staged, place } of disks) {
    if ((await host.files.stat(staged)) === undefined) continue;
    await host.files.rename(staged, place);
    directories.add(dirname(place));
  }
  for (const directory of directories) await host.files.sync(directory);
}

async function stagedDisks(machine: Machine, vm: VmRecord): Promise<readonly StagedDisk[]> {
  const found: StagedDisk[] = [];
  for (const [index, disk] of vm.disks.entries()) {
    // A layer is never exchanged, and may be gone.
    if (disk.role === "layer") continue;
    found.push(await stagedDisk(machine, vm, disk, index));
  }
  return found;
}
