import { join } from "node:path";
import type { BackendContext, Disk, VmPaths } from "@silkvm/core";
import { isNamedQcow2 } from "../vm-disks/named-qcow2.ts";

/** The machine, and where the things of its VMs are. */
export type VmPlaces = Pick<BackendContext, "host" | "paths">;

/** Where a restore puts what is to take the place of the VM's own. */
export function stagedDir({ dataDir }: Pick<VmPaths, "dataDir">): string {
  return join(dataDir, "staged");
}

/**
 * Plain, unique names for the content of disks, by what they are; in the order of the disks.
 * @param isQcow2 by index; default: what the disk's path says
 */
export function diskFileNames(
  disks: readonly Disk[],
  isQcow2: (disk: Disk, index: number) => boolean = ({ path }) => isNamedQcow2(path),
): readonly string[] {
  const taken = new Set<string>();
  return disks.map((disk, index) => {
    const extension = isQcow2(disk, index) ? "qcow2" : "raw";
    const stem = stemOf(disk, index);
    const name = taken.has(`${stem}.${extension}`)
      ? `${stem}-${index}.${extension}`
      : `${stem}.${extension}`;
    taken.add(name);
    return name;
  });
}

function stemOf({ role, serial }: Disk, index: number): string {
  if (role === "cow" || role === "cidata") return role;
  return `${role}-${serial === undefined || serial === "" ? index : serial}`;
}
