import { isNamedQcow2 } from "@silkvm/storage";
import type { DiskConfig } from "@silkvm/ch-client";
import type { Disk } from "@silkvm/core";

const defaultQueueSize = 512;

/** What the disks of one VM have in common. */
export interface DiskTuning {
  /** vCPUs, and so queues of each disk. */
  readonly cpus: number;
  /** Ring depth of a queue; 0 means 512. */
  readonly diskQueueSize: number;
  readonly noDirectIo: boolean;
}

/** The one mapping from a disk to what the VMM is told of it: launch and {@link debugDiskCliArgs} both use it. */
export function toDiskConfig(disk: Disk, tuning: DiskTuning): DiskConfig {
  const { cpus, diskQueueSize, noDirectIo } = tuning;
  const { path, readonly, serial } = disk;
  const direct = disk.directIo ?? (!readonly && !noDirectIo);
  const qcow2 = isNamedQcow2(path);
  return {
    path,
    ...(readonly ? { readonly: true } : {}),
    ...(direct ? { direct: true } : {}),
    ...(!qcow2 && !readonly ? { sparse: true } : {}),
    image_type: qcow2 ? "Qcow2" : "Raw",
    ...(qcow2 && !readonly ? { backing_files: true } : {}),
    ...(cpus > 0 ? { num_queues: cpus } : {}),
    queue_size: diskQueueSize > 0 ? diskQueueSize : defaultQueueSize,
    ...(cpus > 1 && !readonly ? { queue_affinity: pinned(cpus) } : {}),
    ...(serial === undefined || serial === "" ? {} : { serial }),
  };
}

/** Queue i on the host's CPU i, as the counterpart has it. */
function pinned(cpus: number): NonNullable<DiskConfig["queue_affinity"]> {
  return Array.from({ length: cpus }, (_, index) => ({ queue_index: index, host_cpus: [index] }));
}
