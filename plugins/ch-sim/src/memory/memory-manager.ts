import type { MemoryConfig, MemoryZoneConfig } from "../config/types.ts";
import { osError, VmmError } from "../errors.ts";
import { memoryErrors } from "./errors.ts";
import { checkBacking, DEFAULT_ZONE, hasHugePages, memoryZones, zoneAlignment } from "./zones.ts";

const LOW_RAM_END = 0xc000_0000n;
const HIGH_RAM_START = 0x1_0000_0000n;
const PLATFORM_AREA_BYTES = 1n << 20n;
const RESERVED_TOP_BYTES = 1n << 16n;
const DIMM_BYTES = 128n << 20n;
const PAGE_BYTES = 4096n;
/** What the address and the size of a virtio-mem region have to be multiples of. */
export const VIRTIO_MEM_ALIGNMENT = 128n << 20n;
const VIRTIO_MEM_BLOCK = 2n << 20n;
const HOTPLUG_SLOTS = 8;

/** One run of guest memory. */
export interface MemoryRegion {
  readonly gpa: bigint;
  readonly size: bigint;
  readonly zone: string;
  readonly virtioMem: boolean;
  /** Where the region starts in what backs it. */
  readonly fileOffset: bigint;
}

/** A memory slot that a DIMM was put into. */
export interface HotplugSlot {
  readonly base: bigint;
  readonly length: bigint;
}

/** What a snapshot keeps of the memory's layout. */
export interface MemoryState {
  readonly regions: readonly MemoryRegion[];
  /** Which runs are in the memory file, in its order. */
  readonly ranges: readonly { readonly gpa: bigint; readonly length: bigint }[];
  readonly deviceAreaStart: bigint;
  readonly bootRam: bigint;
  readonly currentRam: bigint;
  readonly slots: readonly HotplugSlot[];
}

/** The guest's memory: where it lies, and how it grows. The content is not here; see GuestMemory. */
export class MemoryManager {
  readonly #regions: MemoryRegion[];
  readonly #slots: HotplugSlot[];
  readonly #method: MemoryConfig["hotplug_method"];
  readonly #ownZones: boolean;
  readonly #zones: readonly MemoryZoneConfig[];
  readonly #virtioMem = new Map<string, bigint>();
  readonly #bootRam: bigint;
  readonly deviceAreaStart: bigint;
  readonly deviceAreaEnd: bigint;
  #currentRam: bigint;

  private constructor(
    config: MemoryConfig,
    zones: readonly MemoryZoneConfig[],
    state: MemoryState,
    physicalBits: number,
  ) {
    this.#zones = zones;
    this.#regions = [...state.regions];
    this.#slots = [...state.slots];
    this.#method = config.hotplug_method;
    this.#ownZones = BigInt(config.size) === 0n;
    this.#bootRam = state.bootRam;
    this.#currentRam = state.currentRam;
    this.deviceAreaStart = state.deviceAreaStart;
    this.deviceAreaEnd =
      (1n << BigInt(physicalBits)) - RESERVED_TOP_BYTES - PLATFORM_AREA_BYTES - 1n;
    for (const region of this.#regions) {
      if (!region.virtioMem) continue;
      const zone = zones.find((candidate) => candidate.id === region.zone);
      this.#virtioMem.set(region.zone, BigInt(zone?.hotplugged_size ?? 0));
    }
  }

  /** The memory of a VM that boots. Throws a VmmError. */
  static create(config: MemoryConfig, physicalBits: number): MemoryManager {
    const zones = memoryZones(config);
    const regions = layOut(zones);
    const last = regions.at(-1);
    const ramEnd = last === undefined ? 0n : last.gpa + last.size - 1n;
    const ownZones = BigInt(config.size) === 0n;
    let areaStart = nextTo(ramEnd, !ownZones && config.hotplug_size !== undefined);
    for (const zone of zones) {
      if (zone.hotplug_size === undefined) continue;
      const room = BigInt(zone.hotplug_size);
      if (room === 0n) throw memoryErrors.hotplugSize();
      if (!ownZones && config.hotplug_method === "Acpi") {
        areaStart += room;
        continue;
      }
      if (room % PAGE_BYTES !== 0n) throw memoryErrors.userRegion(osError("EINVAL"));
      const gpa = roundUp(areaStart, VIRTIO_MEM_ALIGNMENT);
      regions.push({ gpa, size: room, zone: zone.id, virtioMem: true, fileOffset: 0n });
      areaStart = gpa + room;
    }
    const ram = zones.reduce((sum, zone) => sum + BigInt(zone.size), 0n);
    const state = {
      regions,
      ranges: [],
      deviceAreaStart: areaStart,
      bootRam: ram,
      currentRam: ram,
      slots: [],
    };
    return new MemoryManager(config, zones, state, physicalBits);
  }

  /** The memory of a VM that is restored: the layout is the snapshot's, whatever the config says of sizes. */
  static restore(config: MemoryConfig, state: MemoryState, physicalBits: number): MemoryManager {
    const zones = memoryZones(config);
    for (const zone of zones) {
      zoneAlignment(zone);
      checkBacking(zone);
    }
    const regions = state.regions.filter((region) => zones.some((zone) => zone.id === region.zone));
    return new MemoryManager(config, zones, { ...state, regions }, physicalBits);
  }

  get regions(): readonly MemoryRegion[] {
    return this.#regions;
  }

  /** The bytes from the guest's address 0 up to the first hole. */
  get lowBytes(): bigint {
    return this.#regions.find((region) => region.gpa === 0n)?.size ?? 0n;
  }

  /** Whether the huge pages that the memory is to be made of are there. */
  get hasPages(): boolean {
    return this.#zones.every(hasHugePages);
  }

  /** What virtio-mem is asked to add, in bytes. */
  get virtioMemRequested(): bigint {
    return [...this.#virtioMem.values()].reduce((sum, size) => sum + size, 0n);
  }

  /** The zones that have a virtio-mem device, with how much that can add. */
  get virtioMemZones(): readonly { readonly id: string; readonly roomBytes: bigint }[] {
    return this.#regions
      .filter((region) => region.virtioMem)
      .map(({ zone, size }) => ({ id: zone, roomBytes: size }));
  }

  /** The runs that a snapshot writes to its memory file, in the file's order. */
  snapshotRanges(): { readonly gpa: bigint; readonly length: bigint }[] {
    return this.#regions
      .filter((region) => !region.virtioMem && !this.#ownsFile(region.zone))
      .map((region) => ({ gpa: region.gpa, length: region.size }));
  }

  /** What a snapshot keeps. */
  state(): MemoryState {
    return {
      regions: this.#regions,
      ranges: this.snapshotRanges(),
      deviceAreaStart: this.deviceAreaStart,
      bootRam: this.#bootRam,
      currentRam: this.#currentRam,
      slots: this.#slots,
    };
  }

  /** Asks for another size. Throws a VmmError. */
  resize(desired: bigint): void {
    if (this.#ownZones) throw memoryErrors.resizeWithZones();
    if (this.#method === "VirtioMem") {
      if (desired < this.#bootRam) throw memoryErrors.belowBootSize(desired, this.#bootRam);
      this.#resizeVirtioMem(DEFAULT_ZONE, desired - this.#bootRam);
      this.#currentRam = desired;
    } else if (desired > this.#currentRam) {
      this.#plugDimm(desired - this.#currentRam);
      this.#currentRam = desired;
    }
  }

  /** Asks for another size of one zone. Throws a VmmError. */
  resizeZone(zone: MemoryZoneConfig, desired: bigint): void {
    if (!this.#ownZones) throw memoryErrors.resizeZone();
    const size = BigInt(zone.size);
    if (desired < size) throw memoryErrors.belowBootSize(desired, size);
    this.#resizeVirtioMem(zone.id, desired - size);
  }

  #ownsFile(id: string): boolean {
    const zone = this.#zones.find((candidate) => candidate.id === id);
    return zone?.file !== undefined && zone.shared;
  }

  #resizeVirtioMem(zone: string, size: bigint): void {
    const requested = this.#virtioMem.get(zone);
    if (requested === undefined) throw memoryErrors.missingVirtioMem();
    const region = this.#regions.find((one) => one.virtioMem && one.zone === zone)?.size ?? 0n;
    const asked = `new size 0x${size.toString(16)}`;
    const fault =
      requested === size
        ? `${asked} and requested_size are identical`
        : size > region
          ? `${asked} is bigger than region_size 0x${region.toString(16)}`
          : size % VIRTIO_MEM_BLOCK === 0n
            ? undefined
            : `${asked} is not aligned on block_size 0x${VIRTIO_MEM_BLOCK.toString(16)}`;
    if (fault !== undefined) throw memoryErrors.virtioMemResize(virtioMemError(fault));
    this.#virtioMem.set(zone, size);
  }

  #plugDimm(size: bigint): void {
    if (this.#slots.length >= HOTPLUG_SLOTS) throw memoryErrors.noSlot();
    if (size % DIMM_BYTES !== 0n) throw memoryErrors.invalidSize();
    const last = this.#regions.at(-1);
    const gpa = nextTo(last === undefined ? 0n : last.gpa + last.size - 1n, true);
    if (gpa + size - 1n > this.deviceAreaStart - 1n) throw memoryErrors.insufficientHotplug();
    this.#regions.push({ gpa, size, zone: DEFAULT_ZONE, virtioMem: false, fileOffset: 0n });
    this.#slots.push({ base: gpa, length: size });
  }
}

function virtioMemError(fault: string): VmmError {
  const reason = `Failed to update virtio configuration: ResizeError(${fault})`;
  return new VmmError("ResizeError", "Resize invalid argument", new VmmError("Error", reason));
}

/** Puts zones one after the other, around the hole below 4 GiB. */
function layOut(zones: readonly MemoryZoneConfig[]): MemoryRegion[] {
  const regions: MemoryRegion[] = [];
  let at = 0n;
  for (const zone of zones) {
    const alignment = BigInt(zoneAlignment(zone));
    const size = BigInt(zone.size);
    // A mask, as the real program has it: a unit that is no power of two is a strange one.
    if ((size & (alignment - 1n)) !== 0n) throw memoryErrors.misaligned();
    if (regions.some((region) => region.zone === zone.id)) throw memoryErrors.duplicateZone();
    checkBacking(zone);
    let left = size;
    while (left > 0n) {
      const room = at < LOW_RAM_END ? LOW_RAM_END - at : left;
      const length = left < room ? left : room;
      regions.push({
        gpa: at,
        size: length,
        zone: zone.id,
        virtioMem: false,
        fileOffset: size - left,
      });
      left -= length;
      at += length;
      if (at === LOW_RAM_END) at = HIGH_RAM_START;
    }
  }
  return regions;
}

/** Where something next to the RAM may start. */
function nextTo(ramEnd: bigint, hotplug: boolean): bigint {
  if (ramEnd < LOW_RAM_END) return HIGH_RAM_START;
  return hotplug ? roundUp(ramEnd + 1n, DIMM_BYTES) : ramEnd + 1n;
}

function roundUp(value: bigint, unit: bigint): bigint {
  return ((value + unit - 1n) / unit) * unit;
}
