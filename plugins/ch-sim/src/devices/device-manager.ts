import type { Socket } from "node:net";

import type { Consoles } from "../console/consoles.ts";
import type * as types from "../config/types.ts";
import { VmmError } from "../errors.ts";
import { event } from "../events.ts";
import type { MemoryManager } from "../memory/memory-manager.ts";
import type { AddressAllocator } from "./address-allocator.ts";
import { BOOT_ORDER } from "./boot-order.ts";
import { deviceErrors } from "./device-error.ts";
import {
  type DeviceNode,
  type DeviceTree,
  deviceNode,
  formatBdf,
  parseBdf,
  type Resource,
} from "./device-tree.ts";
import type { Disk } from "./disk.ts";
import * as makers from "./makers.ts";
import { openVfio, openVfioUser } from "./passthrough.ts";
import { connectTpm } from "./sockets.ts";
import { type Segment, segments } from "./segments.ts";
import type { VirtioDevice } from "./virtio-device.ts";
import type { Permits } from "../vm/landlock.ts";

const BAR_BYTES = 0x8_0000;
const PLAIN_BAR_ALIGNMENT = 16;
const BAR_ALIGNMENT = 0x80_0000;
const REMOVABLE = ["block", "net", "pmem", "fs", "vsock"];

/** A device that was added, as the API tells it. */
export interface PciDeviceInfo {
  readonly id: string;
  readonly bdf: string;
}

/** What a snapshot keeps of the device manager itself. */
export interface DeviceManagerState {
  readonly tree: DeviceTree;
  readonly nextNumber: number;
}

/** The devices of one VM: what they are called, where they sit, what they hold open. */
export class DeviceManager implements makers.DeviceContext {
  readonly config: types.VmConfig;
  readonly memory: MemoryManager;
  readonly tree: DeviceTree;
  readonly permitted: Permits;
  readonly #bootIds: ReadonlySet<string>;
  readonly #segments: readonly Segment[];
  readonly #virtio: VirtioDevice[] = [];
  readonly #disks: Disk[] = [];
  readonly #passthrough = new Map<string, () => void>();
  readonly restoring: boolean;
  #nextNumber: number;

  /** The connection to a TPM's emulator. */
  #tpm: Socket | undefined;

  constructor(
    config: types.VmConfig,
    memory: MemoryManager,
    bootIds: ReadonlySet<string>,
    state: DeviceManagerState | undefined,
    permitted: Permits,
  ) {
    this.config = config;
    this.memory = memory;
    this.permitted = permitted;
    this.#bootIds = bootIds;
    this.restoring = state !== undefined;
    this.tree = new Map(state?.tree ?? []);
    this.#nextNumber = state?.nextNumber ?? 0;
    this.#segments = segments(config, memory);
  }

  /** Makes all devices of the config, in the order that decides their slots and names. Throws a VmmError. */
  async createDevices(consoles: Consoles): Promise<void> {
    this.#legacyNode("__ioapic");
    if (consoles.serial !== undefined) this.#legacyNode("__serial");
    if (this.config.debug_console.mode === "File" || this.config.debug_console.mode === "Tty")
      this.#legacyNode("__debug_console");
    if (consoles.console !== undefined)
      this.#keep(makers.plainDevice(this, "console", "__console", this.config.console));
    if (this.config.tpm !== undefined) this.#tpm = await connectTpm(this.config.tpm.socket);
    for (const make of BOOT_ORDER) for (const device of await make(this)) this.#keep(device);
    this.#addPciDevices();
    await this.#addPassthroughDevices();
    if (this.config.pvpanic) this.#addPciFunction("__pvpanic", 0, undefined, []);
  }

  /** The next name that nobody has. */
  nextName(prefix: string): string {
    for (;;) {
      const name = `${prefix}${this.#nextNumber++}`;
      if (!this.#bootIds.has(name) && !this.tree.has(name)) return name;
    }
  }

  /** The allocator of a segment's 64-bit addresses. */
  mmio64(segment: number): AddressAllocator {
    return this.#segment(segment).mmio64;
  }

  /** Disks, in the order in which they were opened. */
  get disks(): readonly Disk[] {
    return this.#disks;
  }

  addDiskImage(disk: Disk): void {
    this.#disks.push(disk);
  }

  /** What the API calls counters, by device. */
  counters(): Map<string, Readonly<Record<string, bigint>>> {
    const counters = new Map<string, Readonly<Record<string, bigint>>>();
    for (const device of this.#virtio)
      if (device.counters !== undefined) counters.set(device.id, device.counters);
    return counters;
  }

  /** Locks every disk. Throws a VmmError. */
  lockDisks(): void {
    for (const disk of this.#disks) {
      try {
        disk.lock();
      } catch (error) {
        throw error instanceof VmmError ? deviceErrors.lock(error) : error;
      }
    }
  }

  /** Adds a device to a running VM. Throws a VmmError. */
  async hotplug(
    config: types.PciCommon,
    make: () => Promise<VirtioDevice>,
  ): Promise<PciDeviceInfo> {
    this.#checkNewId(config.id);
    if (config.iommu === true && !this.#isIommuSegment(config.pci_segment))
      throw deviceErrors.invalidIommuHotplug();
    const device = await make();
    this.#keep(device);
    return { id: device.id, bdf: this.#addVirtioPci(device, true) };
  }

  /** Adds a device that is passed through to a running VM. Throws a VmmError. */
  async hotplugPassthrough(
    config: types.PciCommon,
    make: () => Promise<PciDeviceInfo>,
  ): Promise<PciDeviceInfo> {
    this.#checkNewId(config.id);
    if (config.iommu === true && !this.#isIommuSegment(config.pci_segment))
      throw deviceErrors.invalidIommuHotplug();
    return make();
  }

  async addVfio(config: types.DeviceConfig): Promise<PciDeviceInfo> {
    config.id ??= this.nextName("_vfio");
    const { id } = config;
    const bdf = this.#takeSlot(id, config.pci_segment, config.pci_device_id);
    const close = openVfio(config);
    this.#passthrough.set(id, close);
    this.tree.set(id, {
      ...deviceNode(id),
      resources: this.tree.get(id)?.resources ?? [],
      pci_bdf: bdf,
    });
    return { id, bdf };
  }

  async addUserDevice(config: types.UserDeviceConfig, hotplug: boolean): Promise<PciDeviceInfo> {
    const { socket } = config;
    if (hotplug && (this.config.user_devices ?? []).some((other) => other.socket === socket)) {
      throw deviceErrors.userSocketInUse(socket);
    }
    config.id ??= this.nextName("_vfio_user");
    const { id } = config;
    const bdf = this.#takeSlot(id, config.pci_segment, config.pci_device_id);
    this.#passthrough.set(id, await openVfioUser(socket));
    this.tree.set(id, {
      ...deviceNode(id),
      resources: this.tree.get(id)?.resources ?? [],
      pci_bdf: bdf,
    });
    return { id, bdf };
  }

  /**
   * Asks the guest to let a device go: the config forgets it at once, the tree keeps it until `eject`. Returns its address.
   * Throws a VmmError.
   */
  remove(id: string, forget: (id: string) => boolean): string {
    const node = this.tree.get(id);
    if (node === undefined) throw deviceErrors.unknownId(id);
    const disk = this.#disks.findIndex((candidate) => candidate.id === id);
    if (disk >= 0) {
      const last = this.#disks.pop();
      if (last !== undefined && disk < this.#disks.length) this.#disks[disk] = last;
    }
    const parent =
      this.#passthrough.has(id) || node.children.length > 0
        ? node
        : this.tree.get(node.parent ?? "");
    if (parent?.pci_bdf === undefined) throw deviceErrors.missingNode();
    const virtio = this.#virtio.find((device) => device.id === (parent.children[0] ?? id));
    if (virtio !== undefined && !REMOVABLE.includes(virtio.kind))
      throw deviceErrors.removalNotAllowed(virtio.kind);
    if (!forget(id)) throw deviceErrors.unknownId(id);
    return parent.pci_bdf;
  }

  /** The guest has let the device at an address go. */
  eject(bdf: string): void {
    const node = [...this.tree.values()].find((candidate) => candidate.pci_bdf === bdf);
    if (node === undefined) return;
    const { segment, slot } = parseBdf(bdf);
    this.#segment(segment).bus.free(slot);
    this.tree.delete(node.id);
    const id = node.children[0] ?? node.id;
    for (const child of node.children) this.tree.delete(child);
    this.#freeBars(node, segment);
    const index = this.#virtio.findIndex((device) => device.id === id);
    if (index >= 0) this.#virtio.splice(index, 1)[0]?.close();
    this.#passthrough.get(node.id)?.();
    this.#passthrough.delete(node.id);
    event("vm", "device-removed", { id, bdf });
  }

  /** What a snapshot keeps. */
  state(): DeviceManagerState {
    return { tree: this.tree, nextNumber: this.#nextNumber };
  }

  /** The virtio devices, for a snapshot. */
  get virtioDevices(): readonly VirtioDevice[] {
    return this.#virtio;
  }

  /** Whether the VM has a balloon. */
  get hasBalloon(): boolean {
    return this.#virtio.some((device) => device.kind === "balloon");
  }

  /** Closes everything that is open. */
  close(): void {
    for (const device of this.#virtio.splice(0)) device.close();
    for (const disk of this.#disks.splice(0)) disk.close();
    for (const close of this.#passthrough.values()) close();
    this.#passthrough.clear();
    this.#tpm?.destroy();
  }

  #legacyNode(id: string): void {
    this.tree.set(id, deviceNode(id));
  }

  #keep(device: VirtioDevice): void {
    this.#virtio.push(device);
  }

  #segment(id: number): Segment {
    const segment = this.#segments[id];
    if (segment === undefined) throw new Error(`There is no PCI segment ${id}`);
    return segment;
  }

  #isIommuSegment(segment: number): boolean {
    return this.config.platform?.iommu_segments?.includes(segment) === true;
  }

  #checkNewId(id: string | undefined): void {
    if (id === undefined) return;
    if (id.startsWith("__")) throw deviceErrors.invalidId(id);
    if (this.tree.has(id)) throw deviceErrors.idNotUnique(id);
  }

  #addPciDevices(): void {
    const iommu = this.config.iommu
      ? makers.plainDevice(this, "iommu", "__iommu", { pci_segment: 0 })
      : undefined;
    this.#reserveExplicitSlots();
    for (const device of this.#virtio) this.#addVirtioPci(device, false);
    if (iommu !== undefined) this.#addVirtioPci(iommu, false);
  }

  async #addPassthroughDevices(): Promise<void> {
    const { devices, user_devices: users } = this.config;
    delete this.config.devices;
    for (const device of devices ?? []) await this.addVfio(device);
    if (devices !== undefined) this.config.devices = devices;
    delete this.config.user_devices;
    for (const device of users ?? []) await this.addUserDevice(device, false);
    if (users !== undefined) this.config.user_devices = users;
  }

  #reserveExplicitSlots(): void {
    for (const device of [
      ...this.#virtio.map(({ pci }) => pci),
      ...(this.config.devices ?? []),
      ...(this.config.user_devices ?? []),
    ]) {
      if (device.pci_device_id === undefined) continue;
      try {
        this.#segment(device.pci_segment).bus.reserve(device.pci_device_id);
      } catch (error) {
        throw error instanceof VmmError ? deviceErrors.reserveSlot(error) : error;
      }
    }
  }

  #addVirtioPci(device: VirtioDevice, hotplug: boolean): string {
    const id = `_virtio-pci-${device.id}`;
    const wide = device.pci.pci_segment > 0 || device.kind !== "block" || hotplug;
    const bdf = this.#addPciFunction(
      id,
      device.pci.pci_segment,
      device.pci.pci_device_id,
      [device.id],
      wide,
    );
    const child = this.tree.get(device.id);
    if (child === undefined) throw deviceErrors.missingNode();
    child.parent = id;
    return bdf;
  }

  #addPciFunction(
    id: string,
    segment: number,
    slot: number | undefined,
    children: readonly string[],
    wide = true,
  ): string {
    const restored = this.tree.get(id)?.resources;
    const bdf = this.#takeSlot(id, segment, slot);
    const resources = [
      this.#allocateBar(parseBdf(bdf).segment, restored, wide, children.length > 0),
    ];
    const node: DeviceNode = { ...deviceNode(id), resources, children, pci_bdf: bdf };
    this.tree.set(id, node);
    return bdf;
  }

  /** A device that the tree knows is being restored, and goes back to where it was. */
  #takeSlot(id: string, segment: number, slot: number | undefined): string {
    const node = this.tree.get(id);
    const known = node?.pci_bdf;
    if (node !== undefined && known === undefined) throw deviceErrors.missingAddress();
    const place = known === undefined ? { segment, slot } : parseBdf(known);
    try {
      return formatBdf(place.segment, this.#segment(place.segment).bus.allocate(place.slot));
    } catch (error) {
      throw error instanceof VmmError ? deviceErrors.allocateSlot(error) : error;
    }
  }

  #allocateBar(
    segment: number,
    restored: readonly Resource[] | undefined,
    wide: boolean,
    virtio: boolean,
  ): Resource {
    const before = restored
      ?.map((resource) => ("PciBar" in resource ? resource.PciBar : undefined))
      .find((bar) => bar?.index === 0);
    const type = before?.type_ ?? (wide && virtio ? "Mmio64" : "Mmio32");
    const bytes = virtio ? BAR_BYTES : 2;
    const { mmio32, mmio64 } = this.#segment(segment);
    const base =
      type === "Mmio64"
        ? mmio64.allocate(before?.base, bytes, before === undefined ? BAR_ALIGNMENT : 4)
        : mmio32.allocate(before?.base, bytes, virtio ? bytes : PLAIN_BAR_ALIGNMENT);
    if (base === undefined) throw deviceErrors.allocateBars(bytes);
    return { PciBar: { index: 0, base, size: bytes, type_: type, prefetchable: false } };
  }

  #freeBars(node: DeviceNode, segment: number): void {
    const { mmio32, mmio64 } = this.#segment(segment);
    for (const resource of node.resources) {
      if (!("PciBar" in resource)) continue;
      const { base, size, type_ } = resource.PciBar;
      (type_ === "Mmio64" ? mmio64 : mmio32).free(base, size);
    }
  }
}
