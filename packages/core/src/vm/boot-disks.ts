import type { Disk, VmRecord } from "./record.ts";

/**
 * The disks that a VM boots with, in the guest's order. Cidata configures the guest at its first boot, and is not attached any more after it; what a container's VM is
 * told by it is needed at every boot.
 */
export function bootDisks({
  config,
  disks,
  firstBooted,
}: Pick<VmRecord, "config" | "disks" | "firstBooted">): readonly Disk[] {
  if (!firstBooted || config.imageType === "oci-container") return disks;
  return disks.filter(({ role }) => role !== "cidata");
}
