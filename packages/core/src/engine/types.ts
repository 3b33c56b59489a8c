import type { EngineCallOptions } from "../call.ts";
import type { CapabilityToken } from "../capability.ts";
import type { EngineConfig } from "../config/schema.ts";
import type { SilkError } from "../errors.ts";
import type { Host, ProcessIdentity } from "../host.ts";
import type { Console, Hypervisor, VmObservation } from "../hypervisor.ts";
import type { Logger } from "../logger.ts";
import type { PluginDefinition } from "../plugin/plugin.ts";
import type { VmSummary } from "../store/rows.ts";
import type { SilkEvent } from "../vm/events.ts";
import type { VmPaths, VmRecord } from "../vm/record.ts";
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

export interface CreateOptions extends ChangeOptions {
  /** What `await using` does with the VM at the end of its scope. Default `detach`: it lives on. */
  readonly dispose?: "delete" | "stop" | "detach" | undefined;
}

export interface StopOptions extends ChangeOptions {
  /** End the VMM without asking the guest. Default false. */
  readonly force?: boolean | undefined;
  /** How long the guest may take to shut down. Default: `stopGraceMs` of the configuration, 30,000. */
  readonly graceMs?: number | undefined;
}

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

/** A VM as it is: its record, corrected by what is true now. */
export interface VmView extends VmRecord {
  readonly observed: VmObservation;
  readonly paths: VmPaths;
  /** The operation that is under way now. */
  readonly operation?:
    | { readonly verb: string; readonly pid: number; readonly startedAt: string }
    | undefined;
}

export interface ListOptions extends EngineCallOptions {
  /** Also those that are still being created. Default false. */
  readonly all?: boolean | undefined;
  /** Only those that have all of these labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export interface EventOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only events after this sequence number. Default: from the first that is kept; with `follow` from now. */
  readonly after?: number | undefined;
  /** Go on with what happens from now on; a VM that ends by itself is noticed. Default false. */
  readonly follow?: boolean | undefined;
}

export interface LogOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only the last lines. Default: all. */
  readonly tailLines?: number | undefined;
  readonly follow?: boolean | undefined;
}

/** An operation that the journal holds. */
export interface OperationView {
  readonly vmId: string;
  readonly verb: "create" | "start" | "stop" | "delete";
  /** ISO 8601. */
  readonly startedAt: string;
  readonly owner: ProcessIdentity;
  /** False where its owner has died: the next command that changes anything finishes or undoes it. */
  readonly underWay: boolean;
}

/** Something that no record owns. */
export interface Orphan {
  readonly kind: "process" | "data" | "run" | "log";
  /** A path, or `pid 123`. */
  readonly name: string;
  readonly why: string;
}

/** A VM in the hands of a program. */
export interface Vm extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  start(options?: ChangeOptions): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
  delete(options?: DeleteOptions): Promise<void>;
  inspect(options?: EngineCallOptions): Promise<VmView>;
  console(options?: EngineCallOptions): Promise<Console>;
  logs(options?: LogOptions): AsyncIterable<string>;
}

/**
 * The engine: every operation on the VMs of one root directory. Many engines, in many processes, may work on one root at once.
 * A ref is an id, a unique prefix of one (3 characters or more), or a name.
 */
export interface Engine extends AsyncDisposable {
  readonly config: EngineConfig;
  /** Names of the backends that the plugins bring. */
  readonly backends: readonly string[];
  /** Makes a VM; nothing runs yet. Anything that fails leaves nothing behind. @throws SilkError `VM_EXISTS`, `INVALID_SPEC`, … */
  create(spec: VmSpec, options?: CreateOptions): Promise<Vm>;
  /** Starts VMs side by side; one that runs is a success. */
  start(refs: readonly string[], options?: ChangeOptions): Promise<BatchResult>;
  stop(refs: readonly string[], options?: StopOptions): Promise<BatchResult>;
  delete(refs: readonly string[], options?: DeleteOptions): Promise<BatchResult>;
  /** A handle on a VM that is there. @throws SilkError `VM_NOT_FOUND`, `REF_AMBIGUOUS` */
  get(ref: string): Promise<Vm>;
  /** The record and the truth. Writes nothing. */
  inspect(ref: string, options?: EngineCallOptions): Promise<VmView>;
  /** Oldest first. Writes nothing. */
  list(options?: ListOptions): Promise<readonly VmSummary[]>;
  console(ref: string, options?: EngineCallOptions): Promise<Console>;
  /** What the VMM wrote to its log. */
  logs(ref: string, options?: LogOptions): AsyncIterable<string>;
  /** What would be run to start such a VM. Makes nothing. @throws SilkError `CAPABILITY_MISSING` */
  launchCommand(spec: VmSpec, options?: EngineCallOptions): Promise<readonly string[]>;
  /**
   * What happened, and with `follow` what happens. The last 100,000 events are kept.
   * @throws SilkError `EVENTS_GONE` where events behind `after` are no longer kept
   */
  events(options?: EventOptions): AsyncIterable<SilkEvent>;
  /** Operations that are under way now, and those that were interrupted. Writes nothing. */
  operations(options?: EngineCallOptions): Promise<readonly OperationView[]>;
  /** Removes what no record owns, or only tells of it. */
  gc(
    options?: ChangeOptions & { readonly dryRun?: boolean | undefined },
  ): Promise<readonly Orphan[]>;
  /** A backend, for what only it can do. @throws SilkError `BACKEND_UNKNOWN` */
  backend(name?: string): Promise<Hypervisor>;
  /** What a VM's backend can do beyond the contract. @throws SilkError `CAPABILITY_MISSING` */
  capability<T>(ref: string, token: CapabilityToken<T>): Promise<T>;
}
