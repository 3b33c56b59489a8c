import type { BackendChoice } from "./choose-backend.ts";
import type { EngineCallOptions } from "../call.ts";
import type { CapabilityToken } from "../capability.ts";
import type { EngineConfig } from "../config/schema.ts";
import type { DeviceKind } from "../devices/device-kind.ts";
import type { SilkError } from "../errors.ts";
import type { Host, ProcessIdentity } from "../host.ts";
import type { Console, Hypervisor, VmObservation } from "../hypervisor.ts";
import type { BlobReference } from "../image/image-source.ts";
import type { Logger } from "../logger.ts";
import type { PluginDefinition } from "../plugin/plugin.ts";
import type { NetworkView } from "../plumbing.ts";
import type { SaveTimings, Timings } from "../snapshot/backend.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import type { RestoredMemory, RestoreMode } from "../snapshot/restore-mode.ts";
import type { VmSummary } from "../store/rows.ts";
import type { Verb } from "../store/journal.ts";
import type { EventTotal, SilkEvent } from "../vm/events.ts";
import type {
  Attachment,
  DeviceData,
  LeavingNic,
  Nic,
  VmPaths,
  VmProblem,
  VmRecord,
  VmState,
} from "../vm/record.ts";
import type { VmSpec } from "../vm/spec.ts";

/** What {@link createEngine} is made of. */
export interface EngineOptions {
  /** The machine to work on: `linuxHost()` of `@silkvm/sys`. */
  readonly host: Host;
  /** Backends and hooks, in the order in which the hooks run. */
  readonly plugins: readonly PluginDefinition[];
  /** Settings; what is left out has its default (see `silk config list`). */
  readonly config?: Partial<EngineConfig> | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
  /** Relative paths of specs are taken from here. Default: the current directory. */
  readonly cwd?: string | undefined;
}

/** Options of a call that changes something. */
export interface ChangeOptions extends EngineCallOptions {
  /** False: fail with `VM_BUSY` where another operation holds the VM, instead of waiting for it. Default true. */
  readonly wait?: boolean | undefined;
  /** Told what is being done, for a person who waits. */
  readonly onProgress?: ((message: string) => void) | undefined;
  /** Told what went wrong without making the call fail, such as the failure of an `after` hook. Default: the logger. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Options of {@link Engine.create}. */
export interface CreateOptions extends ChangeOptions {
  /** What `await using` does with the VM at the end of its scope. Default `detach`: it lives on. */
  readonly dispose?: "delete" | "stop" | "detach" | undefined;
}

/** Options of {@link Engine.start}. */
export interface StartOptions extends ChangeOptions {
  /** Boot a VM that hibernates from its disks: the memory that it had is given up, and its snapshot stays. Default false: it is refused. */
  readonly cold?: boolean | undefined;
  /**
   * Whether the caller is about to attach to the console of a container's VM, for which its program waits, so that nothing of what it says is lost: the
   * image source says how (`attachContainer` of `@silkvm/images`). Default false: it begins at once.
   */
  readonly attach?: boolean | undefined;
}

/** Options of {@link Engine.stop}. */
export interface StopOptions extends ChangeOptions {
  /** End the VMM without asking the guest. Default false. */
  readonly force?: boolean | undefined;
  /** How long the guest may take to shut down. Default: `stopGraceMs` of the configuration, 30,000. */
  readonly graceMs?: number | undefined;
}

/** Options of {@link Engine.delete}. */
export interface DeleteOptions extends ChangeOptions {
  /** Stop it first where it runs, without asking the guest. Default false: a running VM is refused. */
  readonly force?: boolean | undefined;
}

/** What became of several VMs: each was tried. */
export interface BatchResult {
  /** Ids, in the order of the refs. */
  readonly done: readonly string[];
  readonly failed: readonly { readonly ref: string; readonly error: SilkError }[];
}

/** A VM that does not run any more. */
export interface VmEnd {
  readonly id: string;
  readonly name: string;
  /** `stopped` after an end in order, `error` after any other; what it is now, where it did not run. */
  readonly state: VmState;
  /** How the program of a container's VM has ended: 0 to 255, 128 and its number for a signal. Undefined for other VMs, and where nobody knows. */
  readonly exitCode: number | undefined;
  /** The signal that ended it, where one did. */
  readonly exitSignal: string | undefined;
  readonly problem: VmProblem | undefined;
}

/** A VM as it is: its record, corrected by what is true now. */
export interface VmView extends VmRecord {
  readonly observed: VmObservation;
  readonly paths: VmPaths;
  /** The operation that is under way now. */
  readonly operation?:
    | { readonly verb: string; readonly pid: number; readonly startedAt: string }
    | undefined;
}

/** Options of {@link Engine.list}. */
export interface ListOptions extends EngineCallOptions {
  /** Also those that are still being created. Default false. */
  readonly all?: boolean | undefined;
  /** Only those that have all of these labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Options of {@link Engine.events}. */
export interface EventOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only events after this sequence number. Default: from the first that is kept; with `follow` from now. */
  readonly after?: number | undefined;
  /** Go on with what happens from now on. Default false. */
  readonly follow?: boolean | undefined;
}

/** Options of {@link Engine.logs}. */
export interface LogOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only the last lines. Default: all. */
  readonly tailLines?: number | undefined;
  readonly follow?: boolean | undefined;
}

/** Options of {@link Snapshots.save}. */
export interface SaveOptions extends ChangeOptions {
  /** Default: the VM's name and a number, such as `web-1`. */
  readonly name?: string | undefined;
  readonly description?: string | undefined;
}

/** A snapshot as the engine keeps it. */
export interface SnapshotView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** ISO 8601: the moment that it is of. */
  readonly createdAt: string;
  /** The VM that it is of, which may be gone. */
  readonly vmId: string;
  readonly vmName: string;
  readonly backend: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly nics: number;
  /** Sum of its files' sizes, holes included. */
  readonly sizeBytes: number;
  /** The snapshot that its VM had come from, by clone or restore. It may be gone. */
  readonly parentId: string | null;
  /** Whether it came by import: what it says of this host's files is not believed. */
  readonly imported: boolean;
}

/** A snapshot with all that is known of it. */
export interface SnapshotDetails extends SnapshotView {
  /** Its directory. Nothing in it may be changed: VMs may live on its files. */
  readonly directory: string;
  /** Bytes that it takes on the disk; what it shares with others counts in full. */
  readonly allocatedBytes: number;
  readonly manifest: SnapshotManifest;
  /** VMs that came from it, by clone or restore. */
  readonly usedBy: readonly { readonly id: string; readonly name: string }[];
}

/** A snapshot that was saved. */
export interface SavedSnapshotView extends SnapshotView {
  readonly timings: SaveTimings;
}

/** A snapshot that nobody can remove while it is held. */
export interface SnapshotLease extends AsyncDisposable {
  readonly directory: string;
  readonly manifest: SnapshotManifest;
}

/** A snapshot to bring a VM up from: one of the engine's, or any directory that holds one, which is never written to. */
export type SnapshotRef = { readonly snapshot: string } | { readonly directory: string };

/** Options of what brings a VM up from a snapshot. */
export interface LoadOptions extends ChangeOptions {
  /** Default `auto`. */
  readonly restoreMode?: RestoreMode | undefined;
  /** Fail with `RESTORE_MODE_UNAVAILABLE` where the mode is not possible. Default false: another one is used, with a warning. */
  readonly strict?: boolean | undefined;
  /** Files outside of silk's directories that a snapshot from elsewhere may use, or directories of such: absolute paths. */
  readonly allowPaths?: readonly string[] | undefined;
}

/** Options of {@link Engine.clone}. */
export interface CloneOptions extends LoadOptions {
  /** Default: a new random id. A chosen one makes a retry harmless: the second clone is refused with `VM_EXISTS`. */
  readonly id?: string | undefined;
  /** Default: `vm-` and the first characters of the id. */
  readonly name?: string | undefined;
  /** Default: as many as the snapshot has. */
  readonly nics?: number | undefined;
  /** A bridge of this host that its NICs are ports of, instead of the network that the snapshot's VM was in. */
  readonly bridge?: string | undefined;
  /** A network of this host that its NICs are in, as {@link VmSpec.network} has it, instead of the one that the snapshot's VM was in. */
  readonly network?: string | undefined;
  /** Added to the labels that the snapshot's VM had. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** What `await using` does with the VM at the end of its scope. Default `detach`: it lives on. */
  readonly dispose?: CreateOptions["dispose"];
}

/** A VM that came from a snapshot, and how. */
export interface LoadResult {
  readonly vm: Vm;
  readonly memory: RestoredMemory;
  readonly timings: Timings;
}

/** Options of {@link Engine.restore}. */
export interface RestoreOptions extends LoadOptions {
  /** Also to a snapshot of another VM. Default false. */
  readonly force?: boolean | undefined;
}

/** A snapshot from elsewhere, for {@link Snapshots.adopt}. */
export interface AdoptRequest {
  /** Writes the snapshot's files and its manifest into an empty directory, synced. */
  readonly fill: (directory: string, signal: AbortSignal | undefined) => Promise<SnapshotManifest>;
  /** Default: the manifest's name. */
  readonly name?: string | undefined;
  /** Default: the manifest's. */
  readonly description?: string | undefined;
}

/** The engine's snapshots. A ref is an id, a unique prefix of one (3 characters or more), or a name. */
export interface Snapshots {
  /** Saves a running VM, which runs on. @throws SilkError `VM_NOT_RUNNING`, `SNAPSHOT_EXISTS`, `SNAPSHOT_UNSUPPORTED`, `DISK_FULL` */
  save(ref: string, options?: SaveOptions): Promise<SavedSnapshotView>;
  /** Oldest first. Writes nothing. @param options.vm only those of this VM, by its id or its name, also when it is gone */
  list(
    options?: EngineCallOptions & { readonly vm?: string | undefined },
  ): Promise<readonly SnapshotView[]>;
  /** @throws SilkError `SNAPSHOT_NOT_FOUND`, `REF_AMBIGUOUS` */
  inspect(ref: string, options?: EngineCallOptions): Promise<SnapshotDetails>;
  /** Removes snapshots. VMs that came from them live on. @throws SilkError `SNAPSHOT_BUSY` where one is held and `wait` is false */
  delete(refs: readonly string[], options?: ChangeOptions): Promise<BatchResult>;
  /** Holds a snapshot, to read its files. Dispose of it soon: it cannot be removed meanwhile. */
  open(ref: string, options?: ChangeOptions): Promise<SnapshotLease>;
  /** Takes a snapshot in from elsewhere: what is wrong with it is found out before anybody sees it. @throws SilkError `SNAPSHOT_EXISTS`, `SNAPSHOT_DAMAGED`, … */
  adopt(request: AdoptRequest, options?: ChangeOptions): Promise<SnapshotView>;
}

/** Options of {@link Devices.attach}. */
export interface AttachOptions extends ChangeOptions {
  /** Attach it again whenever the VM is started, restored or woken. Default false: it is gone when the VM ends. */
  readonly keep?: boolean | undefined;
  /** With `keep`: a start of the VM fails where it cannot be attached again. Default false: that is a warning. */
  readonly required?: boolean | undefined;
}

/** Options of {@link Devices.detach}. */
export interface DetachOptions extends ChangeOptions {
  /** How long the guest may take to let go of the device; 0 asks it and waits for nothing. Default: 15,000. */
  readonly graceMs?: number | undefined;
}

/** A device that was added to a VM. */
export interface DeviceView<D extends DeviceData = DeviceData> extends Attachment<D> {
  /** Its PCI address in the guest, where the VMM tells it. */
  readonly bdf?: string | undefined;
}

/** Devices that are added to VMs while they run. */
export interface Devices {
  /**
   * Adds a device. What fails leaves the VM, and the host, as they were.
   * @throws SilkError `VM_NOT_RUNNING`, `VM_PAUSED`, `DEVICE_EXISTS`, `DEVICE_LEAVING`, `CAPABILITY_MISSING`, and what the kind of device throws
   */
  attach<R, D extends DeviceData>(
    ref: string,
    kind: DeviceKind<R, D>,
    request: R,
    options?: AttachOptions,
  ): Promise<DeviceView<D>>;
  /**
   * Takes a device away: resolves once the guest has let go of it and the host has it back. From a VM that does not run: it does not get it again.
   * @param device its id, or what a user calls it: a disk's name, a share's tag
   * @returns the device as it was
   * @throws SilkError `DEVICE_NOT_FOUND`, `VM_PAUSED`; `DEVICE_NOT_RELEASED` where the guest does not let go within `graceMs`: the same call may succeed later
   */
  detach<R, D extends DeviceData>(
    ref: string,
    kind: DeviceKind<R, D>,
    device: string,
    options?: DetachOptions,
  ): Promise<Attachment<D>>;
  /** The devices of one kind that a VM has, or gets again when it is started. Writes nothing. */
  list<R, D extends DeviceData>(
    ref: string,
    kind: DeviceKind<R, D>,
    options?: EngineCallOptions,
  ): Promise<readonly DeviceView<D>[]>;
}

/** A NIC of a VM, as it is. */
export interface NicView extends Nic {
  /**
   * - `attached`: the VMM has it
   * - `leaving`: it was taken away, and the guest has not let go of it, or what is left of it on the host could not be removed yet
   * - `missing`: the VM runs, and its VMM has lost it
   * - `detached`: its VM does not run, and has it at its next start
   */
  readonly state: "attached" | "leaving" | "missing" | "detached";
  /** Its id in the VMM. */
  readonly deviceId?: string | undefined;
  /** Its PCI address in the guest, where the VMM tells it. */
  readonly bdf?: string | undefined;
}

/** Options of {@link Nics.change}. */
export interface ChangeNicsOptions extends ChangeOptions {
  /** How long the guest may take to let go of each NIC that is removed. Default 15,000. */
  readonly graceMs?: number | undefined;
}

/** The NICs of one VM in the hands of whoever changes them. Each step is whole, or undone where it fails. */
export interface NicChange {
  /** The VM as it is now. */
  readonly vm: VmRecord;
  /** Its NICs as they are now. */
  look(): Promise<readonly NicView[]>;
  /** Gives it one NIC more, in the network that its configuration means. @throws SilkError `NETWORK_UNNAMED`, and what the network throws */
  add(): Promise<Nic>;
  /** Gives a NIC that is `missing` to the VMM again. */
  addAgain(nic: Nic): Promise<void>;
  /** Takes a NIC away. @throws SilkError `DEVICE_NOT_RELEASED` where the guest does not let go of it: it is `leaving` then */
  remove(nic: Nic): Promise<void>;
  /** Waits until the guest has let go of a NIC that is `leaving`, and removes what is left of it. @throws SilkError `DEVICE_NOT_RELEASED` */
  release(leaving: LeavingNic): Promise<void>;
}

/** The NICs of VMs. `@silkvm/netresize` brings a VM to a number of them. */
export interface Nics {
  /** The NICs that a VM has. Writes nothing. */
  list(ref: string, options?: EngineCallOptions): Promise<readonly NicView[]>;
  /**
   * Changes the NICs of a VM, which nobody else can change meanwhile. Those of a VM that does not run are changed for its next start.
   * @throws SilkError `VM_PAUSED`, `VM_HIBERNATES`, `CAPABILITY_MISSING`, and what the steps throw
   */
  change<T>(
    ref: string,
    run: (change: NicChange) => Promise<T>,
    options?: ChangeNicsOptions,
  ): Promise<T>;
}

/** What networks there are, and which kinds of them could not be looked at. */
export interface NetworkList {
  readonly networks: readonly (NetworkView & {
    /** Who brings it: what `provider` of its NICs says. */
    readonly provider: string;
    /** What the spec of a VM says to be in it: `{ bridge: "br0" }`, `{ network: "pods" }`, `{ network: "lan:blue" }`. */
    readonly spec: Pick<VmSpec, "bridge" | "network">;
  })[];
  readonly failed: readonly { readonly provider: string; readonly error: SilkError }[];
}

/** An operation that the journal holds. */
export interface OperationView {
  /** Id of the VM, or of the snapshot, that is worked on. */
  readonly id: string;
  readonly verb: Verb;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly owner: ProcessIdentity;
  /** False where its owner has died: the next command that changes anything finishes or undoes it. */
  readonly underWay: boolean;
}

/** Something that no record owns. */
export interface Orphan {
  readonly kind: "process" | "data" | "run" | "log" | "snapshot" | "image";
  /** A path, or `pid 123`. */
  readonly name: string;
  readonly why: string;
  /** Room that it takes, where that is known. */
  readonly sizeBytes?: number | undefined;
}

/** A VM in the hands of a program. `await using` does at the end of the scope what its maker was told with `dispose`: by default nothing, it lives on. */
export interface Vm extends AsyncDisposable {
  /** The same for its whole life, and no other VM's. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  /**
   * Starts it, and resolves once its guest runs. That it runs already is fine. What fails, or is aborted, leaves a VM that does not run.
   * @throws SilkError `VM_HIBERNATES` without `cold`, `DISK_LOCKED`, `FILE_NOT_FOUND`, …
   */
  start(options?: StartOptions): Promise<void>;
  /** Asks the guest to shut down, and ends the VMM where it has not after `graceMs`. That it has stopped already is fine. */
  stop(options?: StopOptions): Promise<void>;
  /** Removes it, with the disks that silk made for it. @throws SilkError `VM_RUNNING` without `force` */
  delete(options?: DeleteOptions): Promise<void>;
  /** Its record, and what is true of it now. Writes nothing. @throws SilkError `VM_NOT_FOUND` where it is gone */
  inspect(options?: EngineCallOptions): Promise<VmView>;
  /** Waits until it does not run any more. */
  wait(options?: EngineCallOptions): Promise<VmEnd>;
  /** Its guest's console, as a stream both ways; dispose of it to detach. @throws SilkError `VM_NOT_RUNNING` */
  console(options?: EngineCallOptions): Promise<Console>;
  /** What its VMM has written to its log, as text in pieces; with `follow` what it writes from now on, too. */
  logs(options?: LogOptions): AsyncIterable<string>;
  /** Saves it; it runs on. @throws SilkError `VM_NOT_RUNNING`, `SNAPSHOT_EXISTS`, `SNAPSHOT_UNSUPPORTED`, `DISK_FULL` */
  save(options?: SaveOptions): Promise<SavedSnapshotView>;
  /** Takes it back to a snapshot of its own. @throws SilkError what {@link Engine.restore} throws */
  restore(from: SnapshotRef, options?: RestoreOptions): Promise<LoadResult>;
  /** Saves it and ends it, in one moment; {@link Vm.wake} lets it go on. @throws SilkError `VM_NOT_RUNNING`, `SNAPSHOT_UNSUPPORTED`, `DISK_FULL` */
  hibernate(options?: SaveOptions): Promise<SavedSnapshotView>;
  /** Lets it go on where it was. @throws SilkError `VM_NOT_HIBERNATED` */
  wake(options?: LoadOptions): Promise<LoadResult>;
}

/**
 * The engine: every operation on the VMs of one root directory. Many engines, in many processes, may work on one root at once.
 * A ref is an id, a unique prefix of one (3 characters or more), or a name.
 */
export interface Engine extends AsyncDisposable {
  /** The machine that it works on. */
  readonly host: Host;
  /** Its settings, with the defaults of those that were left out. */
  readonly config: EngineConfig;
  /** Names of the backends that the plugins bring. */
  readonly backends: readonly string[];
  /** Makes a VM; nothing runs yet. Anything that fails leaves nothing behind. @throws SilkError `VM_EXISTS`, `INVALID_SPEC`, … */
  create(spec: VmSpec, options?: CreateOptions): Promise<Vm>;
  /** Starts VMs side by side; one that runs is a success. What fails is in the answer, and stops none of the others. */
  start(refs: readonly string[], options?: StartOptions): Promise<BatchResult>;
  /** Stops VMs side by side, as {@link Vm.stop} does; one that has stopped is a success. */
  stop(refs: readonly string[], options?: StopOptions): Promise<BatchResult>;
  /** Removes VMs side by side, as {@link Vm.delete} does. */
  delete(refs: readonly string[], options?: DeleteOptions): Promise<BatchResult>;
  /** A handle on a VM that is there. @throws SilkError `VM_NOT_FOUND`, `REF_AMBIGUOUS` */
  get(ref: string): Promise<Vm>;
  /** Saves, lists and removes snapshots. */
  readonly snapshots: Snapshots;
  /** Disks, directories and PCI devices of VMs that run. */
  readonly devices: Devices;
  /** The NICs of VMs. */
  readonly nics: Nics;
  /** The networks of this host that VMs can be given NICs of. Writes nothing. */
  networks(options?: EngineCallOptions): Promise<NetworkList>;
  /**
   * Brings up a new VM from a snapshot: it goes on where the snapshot was taken, with disks, an identity and NICs of its own. Anything that fails leaves nothing behind.
   * @throws SilkError `VM_EXISTS`, `SNAPSHOT_NOT_FOUND`, `SNAPSHOT_DAMAGED`, `RESTORE_MODE_UNAVAILABLE`, `NETWORK_MISSING`, …
   */
  clone(from: SnapshotRef, options?: CloneOptions): Promise<LoadResult>;
  /**
   * Takes a VM, running or not, back to a snapshot. What is wrong is found out before the VM is touched.
   * @throws SilkError `SNAPSHOT_FOREIGN` for a snapshot of another VM without `force`, and what `clone` throws
   */
  restore(ref: string, from: SnapshotRef, options?: RestoreOptions): Promise<LoadResult>;
  /** Saves a running VM and ends it, in one moment: the VMM ends only when the snapshot is durable. */
  hibernate(ref: string, options?: SaveOptions): Promise<SavedSnapshotView>;
  /** Lets a VM that hibernates go on where it was. A snapshot that was made for it without a name of its own is removed. @throws SilkError `VM_NOT_HIBERNATED` */
  wake(ref: string, options?: LoadOptions): Promise<LoadResult>;
  /** Which blobs of images VMs and snapshots need: for whoever looks after images outside of the engine. Writes nothing. */
  blobReferences(options?: EngineCallOptions): Promise<readonly BlobReference[]>;
  /** The record and the truth. Writes nothing. */
  inspect(ref: string, options?: EngineCallOptions): Promise<VmView>;
  /**
   * Waits until a VM does not run any more, whoever or whatever ends it; at once, where it does not run. That it has ended is written down then.
   * @throws SilkError `VM_NOT_FOUND` also where it is removed meanwhile
   */
  wait(ref: string, options?: EngineCallOptions): Promise<VmEnd>;
  /** Oldest first. Writes nothing. */
  list(options?: ListOptions): Promise<readonly VmSummary[]>;
  /** The console of a VM's guest, as a stream both ways; dispose of it to detach. @throws SilkError `VM_NOT_RUNNING` */
  console(ref: string, options?: EngineCallOptions): Promise<Console>;
  /** What the VMM wrote to its log. */
  logs(ref: string, options?: LogOptions): AsyncIterable<string>;
  /** What would be run to start such a VM. Makes nothing. @throws SilkError `CAPABILITY_MISSING` */
  launchCommand(spec: VmSpec, options?: EngineCallOptions): Promise<readonly string[]>;
  /** The same after the commands that would make what it needs, its directories and disks: for a shell, one after the other. */
  launchCommands(
    spec: VmSpec,
    options?: EngineCallOptions,
  ): Promise<readonly (readonly string[])[]>;
  /**
   * What happened, and with `follow` what happens. The last 100,000 events are kept. A VM that has ended by itself is noticed, and
   * that is written down where the store can be written.
   * @throws SilkError `EVENTS_GONE` where events behind `after` are no longer kept
   */
  events(options?: EventOptions): AsyncIterable<SilkEvent>;
  /** How often each kind of event has happened, and how long it took, since the store was made. Writes nothing. */
  totals(options?: EngineCallOptions): Promise<readonly EventTotal[]>;
  /** Operations that are under way now, and those that were interrupted. Writes nothing. */
  operations(options?: EngineCallOptions): Promise<readonly OperationView[]>;
  /** Removes what no record owns, or only tells of it. */
  gc(
    options?: ChangeOptions & { readonly dryRun?: boolean | undefined },
  ): Promise<readonly Orphan[]>;
  /** The backend of VMs that name none, and why it is that one. */
  defaultBackend(): Promise<BackendChoice>;
  /** A backend, for what only it can do. Default: the one of VMs that name none. @throws SilkError `BACKEND_UNKNOWN` */
  backend(name?: string): Promise<Hypervisor>;
  /** What a VM's backend can do beyond the contract. @throws SilkError `CAPABILITY_MISSING` */
  capability<T>(ref: string, token: CapabilityToken<T>): Promise<T>;
}
