import { isAbsolute } from "node:path";
import { damagedSnapshot, snapshotUnsupported } from "@silkvm/storage";
import { readMemoryState, sumOf, withMemoryState } from "./memory-state.ts";
import {
  type JsonObject,
  objectAt,
  objectsAt,
  type SnapshotDocuments,
  withKey,
  withoutKey,
} from "./snapshot-documents.ts";
import { configName, stateName } from "./snapshot-names.ts";

/** The VMM's own name for the one zone that a VM without zones has. */
const stockZone = "mem0";

/** The file that a guest's memory is to be mapped from. */
export interface MemoryFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Why the guest's memory cannot be mapped from the snapshot's file; undefined where it can. @throws SilkError `SNAPSHOT_DAMAGED` */
export function cowObstacle(
  { config, state }: SnapshotDocuments,
  fileSizeBytes: number,
): string | undefined {
  const memory = objectAt(config, "memory", configName);
  const isSet = (key: string): boolean => memory[key] !== undefined && memory[key] !== null;
  if (memory["shared"] !== false) return "the guest's memory is shared";
  if (memory["hugepages"] !== false) return "the guest's memory is in huge pages";
  if (memory["mergeable"] !== false) return "the guest's memory is offered for merging";
  if (isSet("zones")) return "the guest's memory is in zones of its own";
  if (isSet("hotplug_size") || isSet("hotplugged_size"))
    return "memory may be added to the guest while it runs";
  const { ranges, mappings } = readMemoryState(state);
  const ramBytes = sumOf(ranges);
  if (ramBytes === 0n) return "the snapshot holds no memory";
  if (ramBytes !== BigInt(fileSizeBytes))
    return `the memory file has ${fileSizeBytes} bytes, and the guest has ${ramBytes}`;
  if (typeof memory["size"] !== "number" || BigInt(memory["size"]) !== ramBytes)
    return "memory has been added to the guest, or taken from it";
  if (mappings.some(({ virtioMem }) => virtioMem)) return "the guest has memory by virtio-mem";
  if (mappings.some(({ zoneId }) => zoneId !== stockZone))
    return "the guest's memory is in zones of its own";
  const starts = new Map(ranges.map(({ gpa, length }) => [gpa, length]));
  const agree =
    starts.size === ranges.length &&
    mappings.length === ranges.length &&
    new Set(mappings.map(({ gpa }) => gpa)).size === mappings.length &&
    mappings.every(({ gpa, size }) => starts.get(gpa) === size);
  return agree ? undefined : "the guest's memory is laid out in an unknown way";
}

/**
 * Rewrites a snapshot so that a restore maps its memory file privately, instead of reading it: one zone on the file, nothing to
 * read, and for each part of the memory the place in the file where it is. All of that follows from the snapshot itself: a wrong place, a wrong size or
 * a shared mapping would be taken by the VMM without a word.
 * @throws SilkError `SNAPSHOT_UNSUPPORTED` where {@link cowObstacle} has something to say, or the file's path is not absolute
 */
export function rewriteForCow(
  documents: SnapshotDocuments,
  { path, sizeBytes }: MemoryFile,
): SnapshotDocuments {
  const obstacle = cowObstacle(documents, sizeBytes);
  if (obstacle !== undefined) throw snapshotUnsupported(obstacle);
  if (!isAbsolute(path)) throw snapshotUnsupported(`${path} is no absolute path`);
  const { config, state } = documents;
  const { ranges } = readMemoryState(state);
  const offsets = new Map<bigint, bigint>();
  let before = 0n;
  for (const { gpa, length } of ranges) {
    offsets.set(gpa, before);
    before += length;
  }
  const zone = {
    id: stockZone,
    size: Number(before),
    file: path,
    shared: false,
    hugepages: false,
    prefault: false,
    reserve: false,
    mergeable: false,
  };
  const memory: JsonObject = { ...objectAt(config, "memory", configName), size: 0, zones: [zone] };
  return {
    config: withKey(config, "memory", memory),
    state: withMemoryState(state, {
      keepRanges: false,
      fileOffset: ({ gpa }) => offsets.get(gpa) as bigint,
    }),
  };
}

/**
 * Makes the snapshot of a VM whose memory is mapped from a file one like any other: the VMM names in it the file of the snapshot that the VM
 * came from. One that is plain already is given back as it is.
 * @throws SilkError `SNAPSHOT_UNSUPPORTED` for zones that silk does not make
 */
export function makePlain(documents: SnapshotDocuments): SnapshotDocuments {
  const memory = objectAt(documents.config, "memory", configName);
  const zones = objectsAt(memory, "zones", configName);
  if (zones.length === 0) return documents;
  const [zone] = zones;
  if (zones.length > 1 || zone?.["id"] !== stockZone || memory["size"] !== 0)
    throw snapshotUnsupported("the guest's memory is in zones that silk did not make");
  const { ranges } = readMemoryState(documents.state);
  const ramBytes = sumOf(ranges);
  if (zone["size"] !== Number(ramBytes))
    throw damagedSnapshot(stateName, "does not have the guest's whole memory");
  return {
    config: withKey(
      documents.config,
      "memory",
      withoutKey(withKey(memory, "size", Number(ramBytes)), "zones"),
    ),
    state: withMemoryState(documents.state, { keepRanges: true, fileOffset: () => 0n }),
  };
}
