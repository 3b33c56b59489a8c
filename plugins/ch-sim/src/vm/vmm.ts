import { vmConfig as vmConfigSchema } from "../config/schemas.ts";
import type * as types from "../config/types.ts";
import { hotpluggedMemory, totalMemory, validateConfig } from "../config/validate.ts";
import { closeConsoles, type Consoles, openConsoles } from "../console/consoles.ts";
import type { PciDeviceInfo } from "../devices/device-manager.ts";
import { arrangedTree } from "../devices/device-tree.ts";
import * as makers from "../devices/makers.ts";
import { debugText, deviceManager as deviceManagerError, VmmError, vmErrors } from "../errors.ts";
import { event } from "../events.ts";
import { toU64, type U64 } from "../json/content.ts";
import { arranged } from "../json/schema.ts";
import { toJson } from "../json/to-json.ts";
import { log } from "../log.ts";
import { settings } from "../settings.ts";
import { loadConfig, loadState } from "../snapshot/load.ts";
import { migrationError } from "../snapshot/migration-error.ts";
import { saveSnapshot } from "../snapshot/save.ts";
import { stateJson } from "../snapshot/state-json.ts";
import { type Addable, HOTPLUG, push } from "./hotplug.ts";
import { neverStarts } from "./host-limits.ts";
import type { Landlock } from "./landlock.ts";
import { removeFromConfig } from "./remove-from-config.ts";
import { checkRestore } from "./restore-request.ts";
import { deviceStep, wrapStep } from "./steps.ts";
import { Vm, type VmEnvironment } from "./vm.ts";

const NO_MIGRATION = "The simulator does not migrate";

/** What the VMM asks of the process. */
export interface VmmHost {
  /** The VMM is to end; what it serves is done first. */
  readonly end: () => void;
  readonly noShutdown: boolean;
}

/** The VMM: no VM, a config, or a VM. Its methods are the calls of the API; each throws a VmmError. */
export class Vmm {
  readonly #host: VmmHost;
  readonly #landlock: Landlock;
  #config: types.VmConfig | undefined;
  #consoles: Consoles | undefined;
  #vm: Vm | undefined;

  constructor(host: VmmHost, landlock: Landlock) {
    this.#host = host;
    this.#landlock = landlock;
  }

  async create(config: types.VmConfig): Promise<void> {
    if (this.#config !== undefined) throw vmErrors.alreadyCreated();
    this.#config = config;
    await this.#openConsoles();
    if (config.landlock_enable) this.#landlock.restrictTo(config);
  }

  async boot(): Promise<void> {
    if (this.#vm !== undefined) throw vmErrors.alreadyCreated();
    log("vmm", "INFO", "vmm/src/lib.rs:2229", "Booting VM");
    event("vm", "booting");
    if (this.#config === undefined) throw vmErrors.missingConfig();
    if (this.#consoles === undefined) await this.#openConsoles();
    const vm = await this.#build(undefined);
    this.#vm = vm;
    vm.boot();
    // vCPUs that wait for each other for ever keep everybody else waiting, too.
    if (neverStarts(this.#config.cpus)) await new Promise(() => undefined);
    event("vm", "booted");
  }

  pause(): void {
    const vm = this.#running();
    wrapStep(
      () => vm.pause(),
      (source) => new VmmError("Pause", "Cannot pause VM", source),
    );
  }

  resume(): void {
    const vm = this.#running();
    wrapStep(
      () => vm.resume(),
      (source) => new VmmError("Resume", "Cannot resume VM", source),
    );
  }

  async snapshot(url: string): Promise<void> {
    const vm = this.#running();
    if (vm.restoring)
      throw new VmmError("VmRestoring", "VM on-demand memory restore is still in progress");
    const refuse = (reason: string) =>
      new VmmError("Snapshot", "Cannot snapshot VM", migrationError("Snapshot", reason));
    event("vm", "snapshotting");
    if (vm.state !== "Paused") throw refuse("Trying to snapshot while VM is running");
    if (!settings().nestedState)
      throw refuse("Could not get vCPU state GetNestedState(Invalid argument (os error 22))");
    const memory = vm.memory.state();
    const state = stateJson(vm.config, vm.cpus.present, vm.devices, memory);
    event("vm", "snapshotted");
    const content = {
      config: toJson(arranged(vmConfigSchema, vm.config)),
      state,
      memory,
      guest: vm.guest.memory(),
      shared: vm.config.memory.shared,
    };
    try {
      await saveSnapshot(url, content, (path, write) => this.#landlock.permits(path, write));
    } catch (error) {
      throw error instanceof VmmError
        ? new VmmError("SnapshotSend", "Cannot send VM snapshot", error)
        : error;
    }
  }

  async restore(request: types.RestoreConfig): Promise<void> {
    if (this.#vm !== undefined || this.#config !== undefined) throw vmErrors.alreadyCreated();
    const received = <T>(step: () => T): T =>
      wrapStep(step, (source) => new VmmError("Restore", "Cannot restore VM", source));
    const config = received(() => loadConfig(request.source_url));
    wrapStep(
      () => checkRestore(request, config),
      (source) => new VmmError("ConfigValidation", "Failed to validate config", source),
    );
    try {
      const state = received(() => loadState(request.source_url));
      this.#config = config;
      await this.#openConsoles();
      const vm = await this.#build({
        url: request.source_url,
        state,
        mode: request.memory_restore_mode,
      });
      try {
        if (config.landlock_enable) this.#landlock.restrictTo(config);
        vm.restore();
      } catch (error) {
        vm.shutdown();
        this.#consoles = undefined;
        throw error;
      }
      this.#vm = vm;
      if (request.resume) this.resume();
    } catch (error) {
      if (error instanceof VmmError)
        log("vmm", "ERROR", "vmm/src/lib.rs:2391", `VM Restore failed: ${debugText(error)}`);
      this.#forgetConsoles();
      this.delete();
      throw error;
    }
  }

  shutdown(): void {
    const vm = this.#vm;
    if (vm === undefined) throw vmErrors.notRunning();
    this.#vm = undefined;
    this.#consoles = undefined;
    vm.shutdown();
    event("vm", "shutdown");
  }

  async reboot(): Promise<void> {
    event("vm", "rebooting");
    const vm = this.#vm;
    if (vm === undefined) throw vmErrors.notCreated();
    this.#vm = undefined;
    this.#consoles = undefined;
    vm.shutdown();
    await this.#openConsoles();
    const next = await this.#build(undefined);
    try {
      next.boot();
    } catch (error) {
      next.shutdown();
      this.#consoles = undefined;
      throw error;
    }
    this.#vm = next;
    event("vm", "rebooted");
  }

  /** The body of `vm.info`. */
  info(): string {
    const config = this.#created();
    const base = totalMemory(config.memory) - hotpluggedMemory(config.memory);
    return toJson({
      config: arranged(vmConfigSchema, config),
      state: this.#vm?.state ?? "Created",
      memory_actual_size: toU64(this.#vm?.share.actual(base) ?? base),
      device_tree: this.#vm === undefined ? undefined : arrangedTree(this.#vm.devices.tree),
    });
  }

  delete(): void {
    if (this.#config === undefined) return;
    if (this.#vm !== undefined) this.shutdown();
    this.#forgetConsoles();
    this.#config = undefined;
    event("vm", "deleted");
  }

  /** Gives everything back; the process ends after it. */
  end(): void {
    this.delete();
    event("vmm", "shutdown");
  }

  resize(vcpus: number | undefined, ram: U64 | undefined, balloon: U64 | undefined): void {
    const config = this.#created();
    if (this.#vm !== undefined) {
      this.#logged("Error when resizing VM", 2590, () => this.#vm?.resize(vcpus, ram, balloon));
      return;
    }
    if (vcpus !== undefined) config.cpus.boot_vcpus = vcpus;
    if (ram !== undefined) config.memory.size = ram;
    if (balloon !== undefined && config.balloon !== undefined) config.balloon.size = balloon;
  }

  resizeDisk(id: string, desired: U64): void {
    this.#created();
    if (this.#vm === undefined) throw new VmmError("ResizeDisk", "Failed resizing a disk image");
    this.#vm.resizeDisk(id, desired);
  }

  resizeZone(id: string, desired: U64): void {
    const config = this.#created();
    if (this.#vm !== undefined) {
      this.#vm.resizeZone(id, desired);
      return;
    }
    const zone = config.memory.zones?.find((candidate) => candidate.id === id);
    if (zone === undefined) throw new VmmError("ResizeZone", "Failed resizing a memory zone");
    zone.size = desired;
  }

  /** Adds a device. Returns where it is, or undefined where there is no VM yet and only the config has changed. */
  async add<K extends keyof Addable>(
    key: K,
    device: Addable[K],
  ): Promise<PciDeviceInfo | undefined> {
    const config = this.#created();
    this.#validateWith(config, (copy) => push(copy, key, device));
    const vm = this.#vm;
    if (vm === undefined) {
      push(config, key, device);
      return undefined;
    }
    const info = await deviceStep(HOTPLUG[key](vm.devices, device));
    push(vm.config, key, device);
    return info;
  }

  /** Adds a vsock device, of which there can be one. */
  async addVsock(device: types.VsockConfig): Promise<PciDeviceInfo | undefined> {
    const config = this.#created();
    if (config.vsock !== undefined)
      throw new VmmError("TooManyVsockDevices", "Too many virtio-vsock devices");
    this.#validateWith(config, (copy) => {
      copy.vsock = device;
    });
    const vm = this.#vm;
    const info =
      vm === undefined
        ? undefined
        : await deviceStep(vm.devices.hotplug(device, () => makers.makeVsock(vm.devices, device)));
    config.vsock = device;
    return info;
  }

  removeDevice(id: string): void {
    const vm = this.#vm;
    if (vm === undefined) {
      if (this.#config === undefined) throw vmErrors.notCreated();
      if (!removeFromConfig(this.#config, id)) {
        throw new VmmError("NoDeviceToRemove", `No device with id ${JSON.stringify(id)} to remove`);
      }
      return;
    }
    const bdf = wrapStep(
      () => vm.devices.remove(id, (gone) => removeFromConfig(vm.config, gone)),
      deviceManagerError,
    );
    vm.guest.release("device", () => vm.devices.eject(bdf));
  }

  /** The body of `vm.counters`. */
  counters(): string {
    return toJson(this.#running().devices.counters());
  }

  powerButton(): void {
    this.#running().guest.powerButton();
  }

  nmi(): void {
    this.#running().guest.nmi();
  }

  /** Sends a worker off, which fails: the simulator does not migrate. Throws a VmmError where not even that is possible. */
  sendMigration(): void {
    if (this.#vm === undefined) throw migrationError("MigrateSend", "VM is not running");
    if (this.#vm.restoring) {
      const reason = "Cannot migrate while on-demand memory restore is in progress";
      throw migrationError("MigrateSend", reason);
    }
    log("vmm", "ERROR", "vmm/src/lib.rs:1840", `Migration failed: ${NO_MIGRATION}`);
  }

  /** Fails: the simulator does not migrate. Throws a VmmError. */
  receiveMigration(): void {
    const reason =
      this.#vm === undefined
        ? NO_MIGRATION
        : "Can't receive a migration when a VM is already created";
    throw migrationError("MigrateReceive", reason);
  }

  /** The guest is gone, on its own account. */
  guestExited(): void {
    if (this.#host.noShutdown) this.shutdown();
    else this.#host.end();
  }

  #running(): Vm {
    if (this.#vm === undefined) throw vmErrors.notRunning();
    return this.#vm;
  }

  #created(): types.VmConfig {
    if (this.#config === undefined) throw vmErrors.notCreated();
    return this.#config;
  }

  #environment(): VmEnvironment {
    return {
      permitted: (path, write) => this.#landlock.permits(path, write),
      guestExited: () => this.guestExited(),
      guestReset: () => void this.reboot().catch(() => this.#host.end()),
      // The guest runs into it a moment after it has gone on.
      memoryLost: () => void setTimeout(() => this.#host.end(), 10),
    };
  }

  async #build(source: Parameters<typeof Vm.create>[3]): Promise<Vm> {
    if (this.#config === undefined || this.#consoles === undefined) throw vmErrors.missingConfig();
    return Vm.create(this.#config, this.#environment(), this.#consoles, source);
  }

  async #openConsoles(): Promise<void> {
    this.#forgetConsoles();
    try {
      this.#consoles = await openConsoles(this.#created());
    } catch (error) {
      if (!(error instanceof VmmError)) throw error;
      throw new VmmError("CreateConsoleDevices", "Error creating console devices", error);
    }
  }

  #forgetConsoles(): void {
    if (this.#consoles !== undefined && this.#vm === undefined) closeConsoles(this.#consoles);
    this.#consoles = undefined;
  }

  #validateWith(config: types.VmConfig, change: (copy: types.VmConfig) => void): void {
    const copy = structuredClone(config);
    change(copy);
    wrapStep(
      () => validateConfig(copy),
      (source) => new VmmError("ConfigValidation", "Failed to validate config", source),
    );
  }

  #logged(what: string, line: number, step: () => void): void {
    try {
      step();
    } catch (error) {
      if (error instanceof VmmError)
        log("vmm", "ERROR", `vmm/src/lib.rs:${line}`, `${what}: ${debugText(error)}`);
      throw error;
    }
  }
}
