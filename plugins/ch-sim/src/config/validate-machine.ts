import type * as types from "./types.ts";
import { isPowerOfTwo } from "./validate.ts";
import { validationErrors } from "./validation-errors.ts";

/** The CPUs' topology and the memory's pages. */
export function validateMachine({ cpus, memory }: types.VmConfig): void {
  const { topology } = cpus;
  if (topology !== undefined) {
    const parts = [
      topology.threads_per_core,
      topology.cores_per_die,
      topology.dies_per_package,
      topology.packages,
    ];
    if (parts.includes(0)) throw validationErrors.topologyZero();
    if (topology.threads_per_core > 2) throw validationErrors.topologyThreads();
    if (parts.reduce((product, part) => product * part, 1) !== cpus.max_vcpus)
      throw validationErrors.topologyCount();
  }
  if (memory.hugepage_size !== undefined) {
    if (!memory.hugepages) throw validationErrors.hugepageSizeAlone();
    if (!isPowerOfTwo(memory.hugepage_size))
      throw validationErrors.hugepageSize(memory.hugepage_size);
  }
  if (memory.shared && memory.mergeable) throw validationErrors.sharedMergeable();
  if ((memory.zones ?? []).some((zone) => zone.shared && zone.mergeable))
    throw validationErrors.sharedMergeable();
}

/** What belongs to which NUMA node. */
export function validateNuma({ numa, platform }: types.VmConfig): void {
  const zones = new Map<string, number>();
  const segments = new Map<number, number>();
  for (const node of numa ?? []) {
    validateNode(node);
    const id = node.guest_numa_id;
    for (const zone of node.memory_zones ?? []) {
      const other = zones.get(zone);
      if (other !== undefined) throw validationErrors.zoneReused(zone, other, id);
      zones.set(zone, id);
    }
    for (const segment of node.pci_segments ?? []) {
      if (segment >= (platform?.num_pci_segments ?? 1)) throw validationErrors.segment(segment);
      if (segment === 0 && id !== 0) throw validationErrors.defaultSegmentNode(id);
      const other = segments.get(segment);
      if (other !== undefined) throw validationErrors.segmentReused(segment, other, id);
      segments.set(segment, id);
    }
  }
}

function validateNode({ device_id: device, cpus, memory_zones: zones }: types.NumaConfig): void {
  if (device !== undefined && (cpus !== undefined || zones !== undefined)) {
    throw validationErrors.numa(
      "device_id in numa config is mutually exclusive with cpus and memory_zones",
    );
  }
  if (device !== undefined) {
    if (device === "") throw validationErrors.numa("device_id in numa config cannot be empty");
  } else if (cpus !== undefined) {
    if (cpus.length === 0) throw validationErrors.numa("cpus list in numa config cannot be empty");
  } else if (zones !== undefined) {
    if (zones.length === 0)
      throw validationErrors.numa("memory_zones in numa config cannot be empty");
  } else {
    throw validationErrors.numa("numa config must specify either device_id or cpus/memory_zones");
  }
}
