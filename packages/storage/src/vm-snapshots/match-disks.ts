import type { Disk, SnapshotManifest, VmRecord } from "@silkvm/core";
import { isNamedQcow2 } from "../vm-disks/named-qcow2.ts";
import { snapshotMismatch } from "./snapshot-errors.ts";

/** A VM's disk, and the snapshot's that it is. */
export interface MatchedDisk {
  readonly disk: Disk;
  /** Among the VM's disks. */
  readonly index: number;
  /** Name of the file with its content; undefined for one that is not in the snapshot. */
  readonly file: string | undefined;
}

/**
 * Finds for each disk of a snapshot the disk of the VM that gets its content: the same kinds in the same order. Only cidata may be missing in the snapshot.
 * @returns in the snapshot's order
 * @throws SilkError `SNAPSHOT_MISMATCH`
 */
export function matchDisks(
  vm: Pick<VmRecord, "name" | "disks">,
  manifest: SnapshotManifest,
): readonly MatchedDisk[] {
  const left = [...vm.disks.entries()];
  const matched = manifest.vm.disks.map(({ file, ...wanted }, place): MatchedDisk => {
    if (wanted.role !== "cidata") while (left[0]?.[1].role === "cidata") left.shift();
    const [index, disk] = left.shift() ?? [];
    const which = `disk ${place + 1} of the snapshot (${wanted.serial ?? wanted.role})`;
    if (index === undefined || disk === undefined)
      throw snapshotMismatch(`the VM ${vm.name} has no disk for ${which}`);
    const differs = differenceOf(disk, wanted, file);
    if (differs !== undefined)
      throw snapshotMismatch(`the VM ${vm.name} has another disk for ${which}: ${differs}`);
    return { disk, index, file };
  });
  const rest = left.filter(([, { role }]) => role !== "cidata");
  if (rest.length > 0)
    throw snapshotMismatch(
      `the VM ${vm.name} has ${rest.length} ${rest.length === 1 ? "disk" : "disks"} more than the snapshot, such as ${rest[0]?.[1].path}`,
    );
  return matched;
}

function differenceOf(disk: Disk, wanted: Disk, file: string | undefined): string | undefined {
  if (disk.role !== wanted.role) return `it is a ${disk.role} disk, and not ${wanted.role}`;
  if ((disk.serial ?? "") !== (wanted.serial ?? ""))
    return `its serial is ${disk.serial ?? "not set"}`;
  if (disk.readonly !== wanted.readonly) return `one of them is read-only`;
  if (file === undefined && disk.path !== wanted.path) return `it is ${disk.path}`;
  if (file !== undefined && isNamedQcow2(disk.path) !== isNamedQcow2(file))
    return "one of them is a qcow2 image";
  return undefined;
}
