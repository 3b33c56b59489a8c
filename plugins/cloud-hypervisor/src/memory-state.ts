import { isObject, type JsonObject, objectAt, objectsAt } from "./snapshot-documents.ts";
import { damagedSnapshot } from "./snapshot-errors.ts";
import { stateName } from "./snapshot-names.ts";
import { readPart, withPart } from "./state-parts.ts";

const memoryPart = ["memory-manager"] as const;

/** A run of guest memory, in bytes. */
export interface MemoryRange {
  readonly gpa: bigint;
  readonly length: bigint;
}

/** How a run of guest memory is mapped. */
export interface MemoryMapping {
  readonly gpa: bigint;
  readonly size: bigint;
  readonly zoneId: string;
  readonly virtioMem: boolean;
}

/** What state.json says of the guest's memory. */
export interface MemoryState {
  /** What is in the memory file, in its order. */
  readonly ranges: readonly MemoryRange[];
  readonly mappings: readonly MemoryMapping[];
}

/** @throws SilkError `SNAPSHOT_DAMAGED` */
export function readMemoryState(state: JsonObject): MemoryState {
  const memory = memoryOf(state);
  const ranges = objectsAt(objectAt(memory, "memory_ranges", stateName), "data", stateName);
  return {
    ranges: ranges.map((range) => ({ gpa: bytes(range, "gpa"), length: bytes(range, "length") })),
    mappings: objectsAt(memory, "guest_ram_mappings", stateName).map((mapping) => ({
      gpa: bytes(mapping, "gpa"),
      size: bytes(mapping, "size"),
      zoneId: String(mapping["zone_id"]),
      virtioMem: mapping["virtio_mem"] !== false,
    })),
  };
}

/** How many bytes the memory file has to have. */
export function sumOf(ranges: readonly MemoryRange[]): bigint {
  return ranges.reduce((sum, { length }) => sum + length, 0n);
}

/** The state with another list of what the memory file holds, and with other places of the mappings in the file that backs them. */
export function withMemoryState(
  state: JsonObject,
  change: {
    readonly keepRanges: boolean;
    readonly fileOffset: (mapping: MemoryMapping) => bigint;
  },
): JsonObject {
  const memory = memoryOf(state);
  const { mappings } = readMemoryState(state);
  const changed: JsonObject = {
    ...memory,
    ...(change.keepRanges
      ? {}
      : { memory_ranges: { ...objectAt(memory, "memory_ranges", stateName), data: [] } }),
    guest_ram_mappings: objectsAt(memory, "guest_ram_mappings", stateName).map(
      (mapping, index) => ({
        ...mapping,
        file_offset: change.fileOffset(mappings[index] as MemoryMapping),
      }),
    ),
  };
  return withPart(state, memoryPart, changed);
}

function memoryOf(state: JsonObject): JsonObject {
  const memory = readPart(state, memoryPart);
  if (!isObject(memory)) throw damagedSnapshot(stateName, "says nothing of the guest's memory");
  return memory;
}

function bytes(object: JsonObject, key: string): bigint {
  const value = object[key];
  if (typeof value === "bigint" && value >= 0n) return value;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw damagedSnapshot(stateName, `has no number of bytes for ${key}`);
}
