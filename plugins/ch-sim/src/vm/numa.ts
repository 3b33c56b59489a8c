import type { VmConfig } from "../config/types.ts";
import { VmmError } from "../errors.ts";

/** Whether the NUMA nodes of a config name zones and nodes that there are, each once. Throws a VmmError. */
export function checkNuma({ numa, memory }: VmConfig): void {
  const zones = new Set(
    BigInt(memory.size) === 0n ? memory.zones?.map((zone) => zone.id) : ["mem0"],
  );
  const nodes = new Set<number>();
  for (const node of numa ?? []) {
    const known = nodes.size;
    if (nodes.add(node.guest_numa_id).size === known) throw invalid();
    if (node.memory_zones?.some((id) => !zones.has(id)) === true) throw invalid();
    const destinations = (node.distances ?? []).map(({ destination }) => destination);
    if (new Set(destinations).size < destinations.length) throw invalid();
    if (destinations.some((id) => numa?.every((other) => other.guest_numa_id !== id)))
      throw invalid();
  }
}

function invalid(): VmmError {
  return new VmmError("InvalidNumaConfig", "Invalid NUMA configuration");
}
