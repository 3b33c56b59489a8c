import { closeSync, fstatSync } from "node:fs";

import type { Consoles } from "../console/consoles.ts";
import { closeConsoles } from "../console/consoles.ts";
import type * as types from "../config/types.ts";
import { validateConfig } from "../config/validate.ts";
import { DeviceManager } from "../devices/device-manager.ts";
import { deviceErrors } from "../devices/device-error.ts";
import { deviceManager as deviceManagerError, Panic, VmmError } from "../errors.ts";
import { event } from "../events.ts";
import { Guest, type Machine } from "../guest/guest.ts";
import type { GuestMemoryState } from "../guest/memory-page.ts";
import type { U64 } from "../json/content.ts";
import { MemoryManager } from "../memory/memory-manager.ts";
import { settings } from "../settings.ts";
import {
  type LoadedState,
  type MemoryFile,
  openMemory,
  readGuestMemory,
} from "../snapshot/load.ts";
import { migrationError } from "../snapshot/migration-error.ts";
import { Cpus } from "./cpus.ts";
import { deviceStep, memoryStep, validationStep, wrapStep } from "./steps.ts";
import { GuestShare } from "./guest-share.ts";
import { checkFeatures, checkTopology } from "./host-limits.ts";
import { checkNuma } from "./numa.ts";
import { checkInitramfs, checkInitramfsRoom, checkPayload, checkPlatform } from "./payload.ts";
import type { Permits } from "./landlock.ts";

/** Where the tables that a guest finds everything by start. */
const RSDP_ADDRESS = 0xa0000n;
const RSDP_BYTES = 36n;

export type VmState = "Created" | "Running" | "Paused" | "Shutdown";

const TRANSITIONS: Readonly<Record<VmState, readonly VmState[]>> = {
  Created: ["Running", "Paused", "Shutdown"],
  Running: ["Paused", "Shutdown"],
  Paused: ["Running", "Shutdown"],
  Shutdown: ["Running"],
};

/** What a VM needs to know of the process it lives in. */
export interface VmEnvironment {
  readonly permitted: Permits;
  /** The guest has shut down. */
  readonly guestExited: () => void;
  /** The guest asks for a reset. */
  readonly guestReset: () => void;
  /** The VM's memory is gone; the VMM ends. */
  readonly memoryLost: () => void;
}

/** What a VM is restored from. */
export interface RestoreSource {
  readonly url: string;
  readonly state: LoadedState;
  readonly mode: types.RestoreConfig["memory_restore_mode"];
}

interface Parts {
  readonly config: types.VmConfig;
  readonly environment: VmEnvironment;
  readonly consoles: Consoles;
  readonly memory: MemoryManager;
  readonly devices: DeviceManager;
  readonly cpus: Cpus;
  readonly file: MemoryFile | undefined;
  readonly remembered: GuestMemoryState | undefined;
}

/** One VM: its memory, CPUs and devices, and the guest on them. */
export class Vm {
  readonly config: types.VmConfig;
  readonly devices: DeviceManager;
  readonly memory: MemoryManager;
  readonly cpus: Cpus;
  readonly guest: Guest;
  readonly share: GuestShare;
  readonly #environment: VmEnvironment;
  readonly #consoles: Consoles;
  #state: VmState;
  /** The memory file, as long as an on-demand restore reads from it. */
  #filling: MemoryFile | undefined;
  #fillTimer: NodeJS.Timeout | undefined;

  private constructor(parts: Parts, state: VmState) {
    this.config = parts.config;
    this.devices = parts.devices;
    this.memory = parts.memory;
    this.cpus = parts.cpus;
    this.#environment = parts.environment;
    this.#consoles = parts.consoles;
    this.#state = state;
    this.guest = new Guest(settings().guest, this.#machine(), parts.consoles, parts.remembered);
    this.share = new GuestShare(this.config, this.memory, this.guest);
    if (state === "Paused") this.share.ask();
    if (parts.file !== undefined) this.#fill(parts.file);
  }

  /** Builds a VM up to the point where it could start. Throws a VmmError; nothing stays open then. */
  static async create(
    config: types.VmConfig,
    environment: VmEnvironment,
    consoles: Consoles,
    source: RestoreSource | undefined,
  ): Promise<Vm> {
    checkTopology(config.cpus);
    const bits = Math.min(settings().physicalBits, config.cpus.max_phys_bits);
    const memory = memoryStep(() =>
      source === undefined
        ? MemoryManager.create(config.memory, bits)
        : MemoryManager.restore(config.memory, source.state.memory, bits),
    );
    const file =
      source === undefined
        ? undefined
        : memoryStep(() => openMemory(source.url, source.state.memory));
    const remembered =
      source === undefined ? undefined : readGuestMemory(file, source.state.memory, config);
    let devices: DeviceManager | undefined;
    try {
      const ids = validationStep(() => validateConfig(config));
      checkNuma(config);
      checkFeatures(config.cpus);
      devices = new DeviceManager(
        config,
        memory,
        ids,
        source?.state.devices,
        environment.permitted,
      );
      await deviceStep(devices.createDevices(consoles));
      checkInitramfs(config.payload);
    } catch (error) {
      devices?.close();
      if (file !== undefined) closeSync(file.fd);
      throw error;
    }
    const onDemand = source?.mode === "OnDemand";
    if (file !== undefined && !onDemand) closeSync(file.fd);
    const cpus = new Cpus(
      source === undefined ? config.cpus : { ...config.cpus, boot_vcpus: source.state.cpus },
    );
    const parts = {
      config,
      environment,
      consoles,
      memory,
      devices,
      cpus,
      file: onDemand ? file : undefined,
      remembered,
    };
    return new Vm(parts, source === undefined ? "Created" : "Paused");
  }

  get state(): VmState {
    return this.#state;
  }

  /** Whether an on-demand restore is still filling memory. */
  get restoring(): boolean {
    return this.#filling !== undefined;
  }

  /** Starts the VM. Throws a VmmError. */
  boot(): void {
    this.#lockDisks();
    checkTransition(
      this.#state,
      "Running",
      (message) => new VmmError("InvalidStateTransition", message),
    );
    this.#loadPayload();
    this.#state = "Running";
    this.guest.boot();
    this.share.ask();
  }

  /** The last step of a restore. Throws a VmmError. */
  restore(): void {
    event("vm", "restoring");
    this.#lockDisks();
    event("vm", "restored");
  }

  pause(): void {
    event("vm", "pausing");
    this.#transition("Paused", "Pause");
    this.guest.pause();
    event("vm", "paused");
  }

  resume(): void {
    event("vm", "resuming");
    this.#transition("Running", "Resume");
    this.guest.resume();
    event("vm", "resumed");
    if (
      this.#filling !== undefined &&
      BigInt(fstatSync(this.#filling.fd).size) < this.#filling.expectedBytes
    ) {
      this.#environment.memoryLost();
    }
  }

  /** Ends the VM and gives everything back that it holds. */
  shutdown(): void {
    this.guest.stop();
    this.#state = "Shutdown";
    this.#endFill();
    this.devices.close();
    closeConsoles(this.#consoles);
  }

  /** Changes the number of CPUs, the memory and the balloon, in this order. Throws a VmmError. */
  resize(vcpus: number | undefined, ram: U64 | undefined, balloon: U64 | undefined): void {
    event("vm", "resizing");
    if (vcpus !== undefined) {
      const leaving = wrapStep(
        () => this.cpus.resize(vcpus),
        (source) => new VmmError("CpuManager", "Error from CPU manager", source),
      );
      for (const id of leaving) this.guest.release("vcpu", () => this.cpus.eject(id));
      this.config.cpus.boot_vcpus = vcpus;
    }
    if (ram !== undefined) this.#resizeMemory(ram);
    if (balloon !== undefined) {
      if (!this.devices.hasBalloon) throw deviceManagerError(deviceErrors.missingBalloon());
      if (this.config.balloon !== undefined) this.config.balloon.size = balloon;
    }
    this.share.ask();
    event("vm", "resized");
  }

  /** Changes the size of one memory zone. Throws a VmmError. */
  resizeZone(id: string, desired: U64): void {
    const zone = this.config.memory.zones?.find((candidate) => candidate.id === id);
    if (zone === undefined) throw new VmmError("ResizeZone", "Failed resizing a memory zone");
    memoryStep(() => this.memory.resizeZone(zone, BigInt(desired)));
    zone.hotplugged_size = Number(BigInt(desired) - BigInt(zone.size));
    this.share.ask();
  }

  /** Changes the size of a disk. Throws a VmmError. */
  resizeDisk(id: string, desired: U64): void {
    const disk = this.devices.disks.find((candidate) => candidate.id === id);
    if (disk === undefined) throw deviceManagerError(deviceErrors.unknownId(id));
    wrapStep(
      () => disk.resize(BigInt(desired)),
      (source) => deviceManagerError(deviceErrors.diskResize(source)),
    );
  }

  #loadPayload(): void {
    const { lowBytes, hasPages } = this.memory;
    // The first touch of a huge page that is not there is the end of the process.
    if (!hasPages) process.kill(process.pid, "SIGBUS");
    if (lowBytes < RSDP_ADDRESS + RSDP_BYTES) {
      const message = `Error writing RSDP: InvalidGuestAddress(GuestAddress(${RSDP_ADDRESS}))`;
      throw new Panic("vmm/src/acpi.rs:1160:10", message);
    }
    checkPayload(this.config.payload ?? {}, lowBytes);
    checkInitramfsRoom(this.config.payload ?? {}, lowBytes);
    checkPlatform(this.config);
  }

  #resizeMemory(ram: U64): void {
    const { memory } = this.config;
    memoryStep(() => this.memory.resize(BigInt(ram)));
    if (memory.hotplug_method === "Acpi") memory.size = ram;
    else if (ram > memory.size) memory.hotplugged_size = Number(BigInt(ram) - BigInt(memory.size));
    else delete memory.hotplugged_size;
  }

  #lockDisks(): void {
    const message = "Error locking disk images: Another instance likely holds a lock";
    wrapStep(
      () => this.devices.lockDisks(),
      (source) => new VmmError("LockingError", message, source),
    );
  }

  #transition(next: VmState, step: "Pause" | "Resume"): void {
    checkTransition(this.#state, next, (message) =>
      migrationError(step, `Invalid transition: ${message}`),
    );
    this.#state = next;
  }

  #machine(): Machine {
    return {
      powerOff: () => this.#environment.guestExited(),
      reset: () => this.#environment.guestReset(),
      // Also those that it was asked to let go of, until it has.
      disks: () => this.devices.virtioDevices.flatMap(({ image }) => image ?? []),
      commandLine: () => this.config.payload?.cmdline ?? "",
      cpus: () => this.cpus.present,
    };
  }

  /** Keeps the memory file open while memory is filled, as the real program's handler thread does. */
  #fill(file: MemoryFile): void {
    this.#filling = file;
    const gib = Number(file.expectedBytes) / 2 ** 30;
    this.#fillTimer = setTimeout(() => {
      if (BigInt(fstatSync(file.fd).size) >= file.expectedBytes) this.#endFill();
    }, gib * settings().onDemandFillMsPerGib);
  }

  #endFill(): void {
    clearTimeout(this.#fillTimer);
    if (this.#filling !== undefined) closeSync(this.#filling.fd);
    this.#filling = undefined;
  }
}

function checkTransition(from: VmState, to: VmState, fail: (message: string) => VmmError): void {
  if (!TRANSITIONS[from].includes(to)) throw fail(`InvalidStateTransition(${from}, ${to})`);
}
