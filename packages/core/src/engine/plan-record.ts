import type { Disk, Nic, VmRecord } from "../vm/record.ts";
import type { ResolvedVmSpec } from "../vm/spec.ts";

/** The record of a VM that is to be made. */
export function planRecord(
  spec: ResolvedVmSpec,
  { disks, nics }: { readonly disks: readonly Disk[]; readonly nics: readonly Nic[] },
  seq: number,
  now: string,
): VmRecord {
  return {
    seq,
    id: spec.id,
    name: spec.name,
    backend: spec.backend,
    state: "creating",
    config: spec.config,
    boot: spec.boot,
    disks,
    nics,
    labels: spec.labels,
    imageBlobIds: spec.image?.blobIds ?? [],
    snapshotIds: [],
    firstBooted: false,
    createdAt: now,
    updatedAt: now,
  };
}
