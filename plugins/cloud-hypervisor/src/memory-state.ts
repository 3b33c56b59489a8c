import { damagedSnapshot } from "@silkvm/storage";
import { isObject, type JsonObject, objectAt, objectsAt } from "./snapshot-documents.ts";
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

/** No address of a guest is as high as this on any CPU. */
const endOfAddresses = 1n << 52n;

/**
 * Checks that what the memory file holds has a place in the guest's memory, each part its own.
 * @throws SilkError `SNAPSHOT_DAMAGED`
 */
export function checkLayout({ ranges, mappings }: MemoryState): void {
  const refuse = (why: string): never => {
    throw damagedSnapshot(stateName, `has a layout of the guest's memory that cannot be: ${why}`);
  };
  if (mappings.some(({ gpa, size }) => size === 0n || gpa + size > endOfAddresses))
    refuse("a part of it has no size, or no address");
  const places = mappings.map(({ gpa, size }) => ({ start: gpa, end: gpa + size }));
  const contents = ranges.map(({ gpa, length }) => ({ start: gpa, end: gpa + length }));
  if (overlap(places)) refuse("two parts are in one place");
  // What virtio-mem has plugged in may be told of beside the memory that it is a part of.
  if (!mappings.some(({ virtioMem }) => virtioMem) && overlap(contents))
    refuse("one place is filled twice");
  const isPlaced = ({ start, end }: Stretch): boolean =>
    places.some((place) => place.start <= start && end <= place.end);
  if (!contents.every(isPlaced)) refuse("what is to be filled is no memory");
}

interface Stretch {
  readonly start: bigint;
  readonly end: bigint;
}

function overlap(stretches: readonly Stretch[]): boolean {
  const sorted = stretches.toSorted(
    (a, b) => Number(a.start > b.start) - Number(a.start < b.start),
  );
  return sorted.some(({ start }, index) => index > 0 && start < (sorted[index - 1]?.end ?? 0n));
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
