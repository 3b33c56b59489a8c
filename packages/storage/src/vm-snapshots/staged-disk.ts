import { dirname, join } from "node:path";
import type { Disk, VmRecord } from "@silkvm/core";
import { stagedDir, type VmPlaces } from "./names.ts";

/** A disk's content that waits to take the place of what the disk has. */
export interface StagedDisk {
  readonly staged: string;
  readonly place: string;
}

/**
 * Where the content for one of a VM's disks is staged: on the disk's own file system, so that a rename is all that is left to do.
 * @param index of the disk among the VM's
 */
export async function stagedDisk(
  { host, paths }: VmPlaces,
  vm: VmRecord,
  disk: Disk,
  index: number,
): Promise<StagedDisk> {
  const vmPaths = paths(vm);
  if (dirname(disk.path) === vmPaths.dataDir)
    return { staged: join(stagedDir(vmPaths), `disk-${index}`), place: disk.path };
  // Somebody's own disk: the file itself is exchanged, not the symlink that may lead to it.
  const place = await host.files.realpath(disk.path);
  return { staged: `${place}.silk-staged`, place };
}
