import { dirname, join } from "node:path";
import type { VmRecord } from "@silkvm/core";
import { stagedDir, type VmPlaces } from "./names.ts";
import { type StagedDisk, stagedDisk } from "./staged-disk.ts";

/** Says that what is staged is whole and takes the place of the VM's own: from here on there is no way back. */
const committedName = "COMMITTED";

/** With the VM's VMM dead, makes the exchange of its disks certain: whatever happens next, {@link finishSwap} brings it to its end. */
export async function commitSwap(places: VmPlaces, vm: VmRecord): Promise<void> {
  const { host, paths } = places;
  const directory = stagedDir(paths(vm));
  await host.files.writeAtomic(join(directory, committedName), "", { mode: 0o600 });
  await host.files.sync(directory);
}

/**
 * Settles what a restore has staged: finishes an exchange of disks that was certain, and removes what is staged otherwise. Nothing staged is
 * fine. No VMM of the VM may run where something is.
 */
export async function finishSwap(places: VmPlaces, vm: VmRecord): Promise<void> {
  const { host, paths } = places;
  const directory = stagedDir(paths(vm));
  if ((await host.files.stat(directory)) === undefined) return;
  const names = await host.files.list(directory);
  const disks = await stagedDisks(places, vm);
  if (names.includes(committedName)) await exchange(places, disks);
  else for (const { staged } of disks) await host.files.remove(staged);
  await host.files.remove(directory);
}

/** Puts each staged disk that is still there into its place. */
export async function exchange({ host }: VmPlaces, disks: readonly StagedDisk[]): Promise<void> {
  const directories = new Set<string>();
  for (const { staged, place } of disks) {
    if ((await host.files.stat(staged)) === undefined) continue;
    await host.files.rename(staged, place);
    directories.add(dirname(place));
  }
  for (const directory of directories) await host.files.sync(directory);
}

async function stagedDisks(places: VmPlaces, vm: VmRecord): Promise<readonly StagedDisk[]> {
  const found: StagedDisk[] = [];
  for (const [index, disk] of vm.disks.entries()) {
    // A layer is never exchanged, and may be gone.
    if (disk.role === "layer") continue;
    found.push(await stagedDisk(places, vm, disk, index));
  }
  return found;
}
