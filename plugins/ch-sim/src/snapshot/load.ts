import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";

import { vmConfig } from "../config/schemas.ts";
import type { VmConfig } from "../config/types.ts";
import type { DeviceManagerState } from "../devices/device-manager.ts";
import type { DeviceNode } from "../devices/device-tree.ts";
import { fromNode, VmmError } from "../errors.ts";
import {
  decodePage,
  type GuestMemoryState,
  PAGE_BYTES,
  STATE_PAGE_ADDRESS,
} from "../guest/memory-page.ts";
import { type Content, quote } from "../json/content.ts";
import { JsonError } from "../json/json-error.ts";
import {
  bool,
  listOf,
  nullable,
  option,
  parseJson,
  type Schema,
  string,
  u32,
  u64,
  usize,
} from "../json/schema.ts";
import { defaulted, field, struct } from "../json/struct.ts";
import { memoryErrors } from "../memory/errors.ts";
import type { MemoryState } from "../memory/memory-manager.ts";
import { checkCpuid } from "./cpuid.ts";
import { CONFIG_FILE, MEMORY_FILE, STATE_FILE, urlToDirectory } from "./directory.ts";
import { migrationError } from "./migration-error.ts";
import { fileOffset } from "./save.ts";

interface Component {
  readonly snapshots: ReadonlyMap<string, Component>;
  readonly data: string | undefined;
}

/** What is in a snapshot's state.json. */
export interface LoadedState {
  readonly memory: MemoryState;
  readonly devices: DeviceManagerState;
  /** How many CPUs it has. */
  readonly cpus: number;
}

function readText(url: string, name: string, what: "config" | "state"): Buffer {
  const path = join(urlToDirectory(url), name);
  try {
    return readFileSync(path);
  } catch (error) {
    throw migrationError(
      "MigrateReceive",
      `Error opening VM ${what} snapshot file ${quote(path)}`,
      fromNode(error),
    );
  }
}

function parse<T>(schema: Schema<T>, bytes: Buffer, what: string): T {
  try {
    return parseJson(schema, bytes);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw migrationError(
      "MigrateReceive",
      `Error deserialising VM ${what} snapshot`,
      new VmmError("Error", error.describe()),
    );
  }
}

/** A snapshot's config. Throws a VmmError. */
export function loadConfig(url: string): VmConfig {
  return parse(vmConfig, readText(url, CONFIG_FILE, "config"), "config");
}

const component: Schema<Component> = {
  expecting: "struct Snapshot",
  read: (reader) => lazyComponent().read(reader),
  convert: (content) => lazyComponent().convert(content),
};

function mapOf<T>(schema: Schema<T>): Schema<ReadonlyMap<string, T>> {
  return {
    expecting: "a map",
    convert(content) {
      const { entries } = content as { readonly entries: readonly (readonly [string, Content])[] };
      return new Map(entries.map(([key, value]) => [key, schema.convert(value)]));
    },
    read(reader) {
      if (reader.peek() !== 0x7b) throw reader.invalidType(this.expecting);
      const values = new Map<string, T>();
      reader.fixing(() =>
        reader.readMap(
          (key) => values.set(key, schema.read(reader)),
          () => undefined,
        ),
      );
      return values;
    },
  };
}

const snapshotData = struct<{ state: string }>("SnapshotData", [field("state", string)]);

let builtComponent: Schema<Component> | undefined;

function lazyComponent(): Schema<Component> {
  if (builtComponent === undefined) {
    const raw = struct<{
      snapshots: ReadonlyMap<string, Component>;
      snapshot_data: { state: string } | null;
    }>("Snapshot", [
      defaulted("snapshots", mapOf(component), () => new Map()),
      field("snapshot_data", nullable(snapshotData)),
    ]);
    const change = (value: {
      snapshots: ReadonlyMap<string, Component>;
      snapshot_data: { state: string } | null;
    }): Component => ({
      snapshots: value.snapshots,
      data: value.snapshot_data?.state,
    });
    builtComponent = {
      expecting: raw.expecting,
      read: (reader) => change(raw.read(reader)),
      convert: (content) => change(raw.convert(content)),
    };
  }
  return builtComponent;
}

/** A snapshot's state. Throws a VmmError. */
export function loadState(url: string): LoadedState {
  const root = parse(component, readText(url, STATE_FILE, "state"), "state");
  if (root.data === undefined)
    throw migrationError("Restore", "Could not find VM config snapshot section");
  checkCpuid(root.data);
  const memory = root.snapshots.get("memory-manager")?.data;
  const devices = root.snapshots.get("device-manager")?.data;
  if (memory === undefined || devices === undefined)
    throw migrationError("Restore", "Could not find VM config snapshot section");
  return {
    memory: toMemoryState(parse(memoryState, Buffer.from(memory), "state")),
    devices: toDeviceState(parse(deviceState, Buffer.from(devices), "state")),
    cpus: root.snapshots.get("cpu-manager")?.snapshots.size ?? 1,
  };
}

type Big = number | bigint;

interface RawMemoryState {
  memory_ranges: { data: { gpa: Big; length: Big }[] };
  guest_ram_mappings: {
    slot: number;
    gpa: Big;
    size: Big;
    zone_id: string;
    virtio_mem: boolean;
    file_offset: Big;
  }[];
  start_of_device_area: Big;
  boot_ram: Big;
  current_ram: Big;
  hotplug_slots: { base: Big; length: Big; active: boolean }[];
}

const memoryState = struct<RawMemoryState>("MemoryManagerSnapshotData", [
  field(
    "memory_ranges",
    struct("MemoryRangeTable", [
      field("data", listOf(struct("MemoryRange", [field("gpa", u64), field("length", u64)]))),
    ]),
  ),
  field(
    "guest_ram_mappings",
    listOf(
      struct("GuestRamMapping", [
        field("slot", u32),
        field("gpa", u64),
        field("size", u64),
        field("zone_id", string),
        field("virtio_mem", bool),
        field("file_offset", u64),
      ]),
    ),
  ),
  field("start_of_device_area", u64),
  field("boot_ram", u64),
  field("current_ram", u64),
  field(
    "hotplug_slots",
    listOf(
      struct("HotPlugState", [field("base", u64), field("length", u64), field("active", bool)]),
    ),
  ),
]);

function toMemoryState(raw: RawMemoryState): MemoryState {
  return {
    regions: raw.guest_ram_mappings.map((mapping) => ({
      gpa: BigInt(mapping.gpa),
      size: BigInt(mapping.size),
      zone: mapping.zone_id,
      virtioMem: mapping.virtio_mem,
      fileOffset: BigInt(mapping.file_offset),
    })),
    ranges: raw.memory_ranges.data.map(({ gpa, length }) => ({
      gpa: BigInt(gpa),
      length: BigInt(length),
    })),
    deviceAreaStart: BigInt(raw.start_of_device_area),
    bootRam: BigInt(raw.boot_ram),
    currentRam: BigInt(raw.current_ram),
    slots: raw.hotplug_slots
      .filter((slot) => slot.active)
      .map(({ base, length }) => ({ base: BigInt(base), length: BigInt(length) })),
  };
}

const resource: Schema<unknown> = {
  expecting: "enum Resource",
  read: (reader) => plain(reader.readContent()),
  convert: plain,
};

const node = struct<DeviceNode>("DeviceNode", [
  field("id", string),
  field("resources", listOf(resource)),
  field("parent", option(string)),
  field("children", listOf(string)),
  field("pci_bdf", option(string)),
]);

const deviceState = struct<{ device_tree: ReadonlyMap<string, DeviceNode>; device_id_cnt: Big }>(
  "DeviceManagerState",
  [field("device_tree", mapOf(node)), field("device_id_cnt", usize)],
);

function toDeviceState(raw: {
  device_tree: ReadonlyMap<string, DeviceNode>;
  device_id_cnt: Big;
}): DeviceManagerState {
  return { tree: new Map(raw.device_tree), nextNumber: Number(raw.device_id_cnt) };
}

/** A kept value as an ordinary one; its integers are addresses, all of which fit. */
function plain(content: Content): unknown {
  if (typeof content === "bigint") return Number(content);
  if (typeof content !== "object" || content === null) return content;
  if (Array.isArray(content)) return (content as readonly Content[]).map(plain);
  if ("float" in content) return content.float;
  const { entries } = content as { readonly entries: readonly (readonly [string, Content])[] };
  return Object.fromEntries(entries.map(([key, value]) => [key, plain(value)]));
}

/** A memory file that is open, as long as memory is being read from it. */
export interface MemoryFile {
  readonly fd: number;
  readonly expectedBytes: bigint;
}

/** Opens a snapshot's memory file; undefined where the snapshot needs none. Throws a VmmError. */
export function openMemory(url: string, memory: MemoryState): MemoryFile | undefined {
  if (memory.ranges.length === 0) return undefined;
  try {
    const fd = openSync(join(urlToDirectory(url), MEMORY_FILE), "r");
    return { fd, expectedBytes: memory.ranges.reduce((sum, range) => sum + range.length, 0n) };
  } catch (error) {
    throw error instanceof VmmError ? error : memoryErrors.snapshotOpen(fromNode(error));
  }
}

/** The guest's own state out of its memory: from the memory file, or from the file that backs its memory. */
export function readGuestMemory(
  file: MemoryFile | undefined,
  memory: MemoryState,
  config: VmConfig,
): GuestMemoryState | undefined {
  const page = Buffer.alloc(PAGE_BYTES);
  const address = BigInt(STATE_PAGE_ADDRESS);
  if (file !== undefined) {
    const offset = fileOffset(memory.ranges, address);
    if (offset === undefined) return undefined;
    readSync(file.fd, page, 0, PAGE_BYTES, Number(offset));
    return decodePage(page);
  }
  const region = memory.regions.find(
    (candidate) => address >= candidate.gpa && address < candidate.gpa + candidate.size,
  );
  const backing = config.memory.zones?.find((zone) => zone.id === region?.zone)?.file;
  if (region === undefined || backing === undefined) return undefined;
  const fd = openSync(backing, "r");
  try {
    readSync(fd, page, 0, PAGE_BYTES, Number(region.fileOffset + address - region.gpa));
    return decodePage(page);
  } finally {
    closeSync(fd);
  }
}
