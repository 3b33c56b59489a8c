import { existsSync, readFileSync, statfsSync, statSync } from "node:fs";

import { fromNode, osError, type VmmError } from "../errors.ts";
import type { MemoryConfig, MemoryZoneConfig } from "../config/types.ts";
import { memoryErrors } from "./errors.ts";

/** The id of the zone that a memory without zones consists of. */
export const DEFAULT_ZONE = "mem0";
const PAGE_BYTES = 4096;
const HUGE_PAGES = "/sys/kernel/mm/hugepages";

/** The zones that a memory consists of, after the checks of the real program. Throws a VmmError. */
export function memoryZones(memory: MemoryConfig): MemoryZoneConfig[] {
  if (BigInt(memory.size) === 0n) return userZones(memory);
  if (memory.zones !== undefined) throw memoryErrors.invalidParameters();
  checkHotplugged(memory, memory.hotplug_method);
  const { size, shared, hugepages, prefault, reserve, mergeable } = memory;
  return [
    {
      id: DEFAULT_ZONE,
      size,
      shared,
      hugepages,
      prefault,
      reserve,
      mergeable,
      ...(memory.hugepage_size === undefined ? {} : { hugepage_size: memory.hugepage_size }),
      ...(memory.hotplug_size === undefined ? {} : { hotplug_size: memory.hotplug_size }),
      ...(memory.hotplugged_size === undefined ? {} : { hotplugged_size: memory.hotplugged_size }),
    },
  ];
}

function userZones(memory: MemoryConfig): MemoryZoneConfig[] {
  if (memory.zones === undefined || memory.zones.length === 0) throw memoryErrors.missingZones();
  for (const zone of memory.zones) {
    if (zone.shared && zone.file !== undefined && zone.host_numa_node !== undefined)
      throw memoryErrors.sharedNuma();
    if (zone.hotplug_size !== undefined && memory.hotplug_method === "Acpi")
      throw memoryErrors.hotplugMethodWithZones();
    checkHotplugged(zone, memory.hotplug_method);
  }
  return memory.zones;
}

function checkHotplugged(
  {
    hotplug_size: room,
    hotplugged_size: used,
  }: Pick<MemoryZoneConfig, "hotplug_size" | "hotplugged_size">,
  method: MemoryConfig["hotplug_method"],
): void {
  if (used === undefined) return;
  if (room === undefined || used > room || method === "Acpi")
    throw memoryErrors.invalidParameters();
}

/** The unit that a zone's size has to be a multiple of. */
export function zoneAlignment(zone: MemoryZoneConfig): number {
  if (zone.file === undefined && !zone.hugepages) return PAGE_BYTES;
  if (zone.hugepages && zone.hugepage_size !== undefined) return Number(zone.hugepage_size);
  try {
    return Math.max(PAGE_BYTES, statfsSync(zone.file ?? "/dev/hugepages").bsize);
  } catch (error) {
    throw memoryErrors.statFileSystem(fromNode(error));
  }
}

/** How many huge pages of a zone's size are free; undefined where the host has none of that size. */
function hugePages(zone: MemoryZoneConfig): number | undefined {
  const size = BigInt(zone.hugepage_size ?? 1);
  // Only the power of two in the size reaches the kernel, to which that of an odd one means its own.
  const power = size & -size;
  const kib = (power > 1n ? power : defaultHugePage()) / 1024n;
  try {
    return Number(readFileSync(`${HUGE_PAGES}/hugepages-${kib}kB/free_hugepages`, "utf8"));
  } catch {
    return undefined;
  }
}

function defaultHugePage(): bigint {
  const kib = /^Hugepagesize:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return BigInt(kib ?? 2048) * 1024n;
}

/** Whether a zone's first page could be touched. */
export function hasHugePages(zone: MemoryZoneConfig): boolean {
  return !zone.hugepages || zone.file !== undefined || (hugePages(zone) ?? 0) > 0;
}

/** Whether what backs a zone is there. */
export function checkBacking(zone: MemoryZoneConfig): void {
  if (zone.file === undefined) {
    if (zone.hugepages && !existsSync(HUGE_PAGES)) throw memoryErrors.openFile(osError("ENODEV"));
    if (zone.hugepages && hugePages(zone) === undefined)
      throw memoryErrors.openFile(osError("ENODEV"));
    return;
  }
  let failure: VmmError | undefined;
  try {
    if (statSync(zone.file).isDirectory()) failure = memoryErrors.directoryAsFile();
  } catch (error) {
    failure = memoryErrors.openFile(fromNode(error));
  }
  if (failure !== undefined) throw failure;
}
