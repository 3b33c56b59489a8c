import type { Duplex } from "node:stream";
import { defineCapability, type CapabilityToken } from "./capability.ts";
import type { CallOptions, Host, ProcessIdentity } from "./host.ts";
import type { Logger } from "./logger.ts";
import type { Snapshotter } from "./snapshot/backend.ts";
import type { Disk, VmPaths, VmRecord, VmRuntime } from "./vm/record.ts";
import type { ResolvedVmSpec } from "./vm/spec.ts";

/** What a backend is opened with, once for an engine. */
export interface BackendContext {
  readonly host: Host;
  readonly logger: Logger;
  /** The configuration. A backend takes the settings that it knows, and checks what it gets. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Where the things of one VM are. */
  readonly paths: (vm: { readonly id: string }) => VmPaths;
}

/** What every verb of a backend is called with. */
export interface OperationContext extends CallOptions {
  /** Says what is being done now, for a person who waits. */
  readonly progress: (message: string) => void;
  /** Says something that the user should know of though nothing failed. */
  readonly warn: (message: string) => void;
}

/** What a VMM is and can do, as it was found on this host. */
export interface VmmProbe {
  /** Absolute path of the program. */
  readonly path: string;
  readonly version: string;
  /** Ids of the capabilities that this version has on this host. */
  readonly capabilities: readonly string[];
  /** Facts for a person: `features: io_uring, kvm`. */
  readonly notes: readonly string[];
}

/** What is true of a VM now, whatever its record says. */
export interface VmObservation {
  /** `absent`: no VMM of it runs. `starting`: it runs, and the guest does not yet. `ended`: it has run, and shut down in order. */
  readonly vmm: "running" | "paused" | "starting" | "ended" | "absent";
  readonly identity?: ProcessIdentity | undefined;
  /** The guest's memory in the VMM now, where the VMM tells. */
  readonly memoryBytes?: number | undefined;
  readonly devices?:
    | readonly { readonly id: string; readonly kind: string; readonly bdf?: string | undefined }[]
    | undefined;
  /** The VMM's own answer (`vm.info`), for people who debug. */
  readonly raw?: unknown;
}

/** The guest's console: what the guest writes is read from it, what is written to it the guest reads. */
export interface Console extends AsyncDisposable {
  /** Both ways, with back-pressure; it ends when the guest does. */
  readonly stream: Duplex;
  /** Path of the PTY or of the socket behind it. */
  readonly path: string;
  /** A PTY has a window size, a socket has none. */
  readonly kind: "pty" | "socket";
  /** Tells the guest the size of the window; a serial socket has none and ignores it. */
  resize(size: { readonly rows: number; readonly columns: number }): void;
}

/** How a backend is to stop a VM. */
export interface StopRequest {
  /** Do not ask the guest: end the VMM. */
  readonly force: boolean;
  /** How long the guest may take to shut down. */
  readonly graceMs: number;
}

/**
 * What a backend can do with one VM. The engine holds the VM's lock, keeps the record, the journal and the directories,
 * runs the hooks and tells the events; the backend brings about and observes. Every verb can be called again after it failed or
 * was killed half-way, and then finishes or undoes what was left.
 */
export interface Hypervisor extends Snapshotter, AsyncDisposable {
  readonly name: string;
  /**
   * Finds the VMM and what it can do. What the host lacks to run it well (KVM, say) is told in the notes.
   * @throws SilkError `VMM_NOT_FOUND`, `VMM_TOO_OLD`
   */
  probe(options?: CallOptions): Promise<VmmProbe>;
  /**
   * Checks everything about a wanted VM that can be checked before anything is made, and says which disks it will have.
   * Paths of disks that are to be made lie in the VM's data directory. Makes nothing.
   */
  plan(
    spec: ResolvedVmSpec,
    context: OperationContext,
  ): Promise<{ readonly disks: readonly Disk[] }>;
  /** Makes the VM's disks in its data directory, which is there and empty. */
  create(vm: VmRecord, context: OperationContext): Promise<void>;
  /**
   * Launches the VMM and waits until the guest runs. Where it throws, nothing of it runs any more.
   * @throws SilkError `VMM_EXITED` with the end of the VMM's log, `KVM_UNAVAILABLE`, `KVM_DENIED`, `DISK_LOCKED`, and what
   * {@link Hypervisor.probe} throws
   */
  start(vm: VmRecord, context: OperationContext): Promise<VmRuntime>;
  /** Ends the VM: resolves once its VMM is proved dead and its sockets are gone, also when there was none, or one that the record does not know of. */
  stop(vm: VmRecord, request: StopRequest, context: OperationContext): Promise<void>;
  /** Removes what {@link Hypervisor.create} made outside of the VM's directories. The VMM is dead by then. */
  delete(vm: VmRecord, context: OperationContext): Promise<void>;
  /** What is true of the VM now. Changes nothing. */
  inspect(vm: VmRecord, options?: CallOptions): Promise<VmObservation>;
  /** What is true of many VMs, by what is cheap to ask: the process, not the VMM. In the order of the records. */
  list(vms: readonly VmRecord[], options?: CallOptions): Promise<readonly VmObservation[]>;
  /**
   * Attaches to the console of a running VM.
   * @throws SilkError `VM_NOT_RUNNING`, `CONSOLE_UNAVAILABLE`
   */
  console(vm: VmRecord, options?: CallOptions): Promise<Console>;
  /**
   * Finds the firmware for a VM whose spec names none, for images that boot by one. Undefined where this host has none. Default: none is ever found.
   * @throws SilkError `FIRMWARE_MISSING` where one is named by the settings and is not there
   */
  findFirmware?(options?: CallOptions): Promise<string | undefined>;
  /** What a user can do where {@link Hypervisor.findFirmware} finds none: which file, from where. */
  readonly firmwareHint?: string | undefined;
  /** The implementation of something that only some backends can do; undefined where this one cannot. */
  capability<T>(token: CapabilityToken<T>): T | undefined;
}

/** Whether a backend could run VMs on this host, by what is cheap to look at: no program is run for it. */
export interface Fitness {
  /** Whether the settings name its VMM: it is taken before others then. */
  readonly isChosen: boolean;
  readonly isUsable: boolean;
  /** Why, or why not: `qemu-system-x86_64 is not on PATH`. */
  readonly reason: string;
}

/** A backend as its plugin hands it over: opened by an engine when a VM of it is first met. */
export interface BackendDefinition {
  /** `[a-z][a-z0-9-]*`: the value of `--backend`, and what records name. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  open(context: BackendContext): Promise<Hypervisor>;
  /** For the choice of a backend for VMs that name none. Default: nothing speaks against it. */
  fitness?(context: Pick<BackendContext, "host" | "settings">): Promise<Fitness | undefined>;
}

/** Shows the command line that would start a VM. */
export interface LaunchCommand {
  /** The program and its arguments, unquoted. */
  launchCommand(vm: VmRecord, options?: CallOptions): Promise<readonly string[]>;
  /** Commands that make what the command line names and a host does not have yet: directories, disks. Default: none. */
  preparation?(vm: VmRecord): Promise<readonly (readonly string[])[]>;
}

/** Backends whose VMM is a program that is started by arguments. */
export const launchCommand: CapabilityToken<LaunchCommand> = defineCapability(
  "launch-command",
  "show the command line of its VMM",
);
