import { join } from "node:path";
import type { Disk, ResolvedVmSpec, VmPaths, VmRecord } from "@silkvm/core";
import { COW_SERIAL } from "./oci-cmdline.ts";

/** A disk that is made with the VM. */
export interface DiskToMake {
  readonly path: string;
  readonly sizeBytes: number;
  readonly fstype: "ext4" | "none";
  readonly label: string | undefined;
}

/** The disks of a VM, in the order in which the guest sees them: the given ones, the COW disk, the data disks. */
export function plannedDisks(spec: ResolvedVmSpec, { dataDir }: VmPaths): readonly Disk[] {
  const disks: Disk[] = spec.disks.map((disk) => {
    const readonly = disk.readonly ?? false;
    return {
      path: disk.path,
      role: readonly ? "layer" : "data",
      readonly,
      ...(disk.serial === undefined ? {} : { serial: disk.serial }),
      ...(disk.directIo === undefined ? {} : { directIo: disk.directIo }),
    };
  });
  if (spec.config.storageBytes > 0)
    disks.push({ path: cowPath(dataDir), role: "cow", readonly: false, serial: COW_SERIAL });
  for (const disk of spec.dataDisks) {
    disks.push({
      path: join(dataDir, `data-${disk.name}.raw`),
      role: "data",
      readonly: false,
      serial: disk.name,
      fstype: disk.fstype,
      sizeBytes: disk.sizeBytes,
      ...(disk.mountPoint === undefined ? {} : { mountPoint: disk.mountPoint }),
      ...(disk.directIo === undefined ? {} : { directIo: disk.directIo }),
    });
  }
  return disks;
}

/** Those of a VM's disks that are made with it: they lie in its own directory. */
export function disksToMake(vm: VmRecord, { dataDir }: VmPaths): readonly DiskToMake[] {
  const made: DiskToMake[] = [];
  for (const disk of vm.disks) {
    const { path, role, serial, fstype = "ext4", sizeBytes } = disk;
    if (path === cowPath(dataDir)) {
      // The init of an image finds its root's upper layer here. A guest that brings its own boot loader partitions the disk itself.
      const cowFstype = vm.boot.kind === "direct" ? "ext4" : "none";
      made.push({ path, sizeBytes: vm.config.storageBytes, fstype: cowFstype, label: serial });
    } else if (role === "data" && sizeBytes !== undefined) {
      made.push({ path, sizeBytes, fstype, label: serial });
    }
  }
  return made;
}

function cowPath(dataDir: string): string {
  return join(dataDir, "cow.raw");
}
