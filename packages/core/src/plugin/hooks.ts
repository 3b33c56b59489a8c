import type { SilkErrorJson } from "../errors.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import type { Attachment, VmRecord } from "../vm/record.ts";
import type { ResolvedVmSpec } from "../vm/spec.ts";

/** A device that is attached or detached. */
export type HookDevice = Pick<Attachment, "kind" | "id" | "data">;

/** What a hook is told of the operation that it accompanies. */
export interface HookContexts {
  /** `spec.labels` has what hooks before this one have added. */
  "vm:before-create": { readonly spec: ResolvedVmSpec };
  "vm:after-create": { readonly vm: VmRecord };
  "snapshot:before-save": { readonly vm: VmRecord; readonly name: string };
  "snapshot:after-save": { readonly vm: VmRecord; readonly snapshot: SnapshotManifest };
  "vm:before-clone": {
    readonly snapshot: SnapshotManifest;
    readonly id: string;
    readonly name: string;
    /** Those that the clone will have: the snapshot's, those that were asked for, and what hooks before this one have added. */
    readonly labels: Readonly<Record<string, string>>;
  };
  "vm:after-clone": { readonly vm: VmRecord; readonly snapshot: SnapshotManifest };
  "vm:before-restore": { readonly vm: VmRecord; readonly snapshot: SnapshotManifest };
  "vm:after-restore": { readonly vm: VmRecord; readonly snapshot: SnapshotManifest };
  "vm:before-start": { readonly vm: VmRecord };
  "vm:after-start": { readonly vm: VmRecord };
  "vm:before-stop": { readonly vm: VmRecord; readonly force: boolean };
  "vm:after-stop": { readonly vm: VmRecord };
  "vm:before-delete": { readonly vm: VmRecord; readonly force: boolean };
  "vm:after-delete": { readonly vm: VmRecord };
  "vm:before-attach": { readonly vm: VmRecord; readonly device: HookDevice };
  "vm:after-attach": { readonly vm: VmRecord; readonly device: HookDevice };
  "vm:before-detach": { readonly vm: VmRecord; readonly device: HookDevice };
  "vm:after-detach": { readonly vm: VmRecord; readonly device: HookDevice };
  /** Every operation that changes something, once it has come to its end: well, refused, failed, timed out or aborted. */
  "operation:end": OperationReport;
}

/** The points of an operation at which a plugin is asked or told. */
export type HookName = keyof HookContexts;

/** Every hook, for what reads names. */
export const hookNames: readonly HookName[] = Object.keys({
  "vm:before-create": true,
  "vm:after-create": true,
  "vm:before-clone": true,
  "vm:after-clone": true,
  "vm:before-start": true,
  "vm:after-start": true,
  "vm:before-stop": true,
  "vm:after-stop": true,
  "vm:before-delete": true,
  "vm:after-delete": true,
  "vm:before-restore": true,
  "vm:after-restore": true,
  "vm:before-attach": true,
  "vm:after-attach": true,
  "vm:before-detach": true,
  "vm:after-detach": true,
  "snapshot:before-save": true,
  "snapshot:after-save": true,
  "operation:end": true,
} satisfies Record<HookName, true>) as HookName[];

/** What an operation is. */
export interface Operation {
  /** Of this run of the operation alone. */
  readonly id: string;
  readonly verb: OperationVerb;
}

/** The operations that hooks hear of. */
export type OperationVerb =
  | "create"
  | "start"
  | "stop"
  | "delete"
  | "save"
  | "delete-snapshot"
  | "adopt-snapshot"
  | "clone"
  | "restore"
  | "hibernate"
  | "wake"
  | "attach"
  | "detach"
  | "change-nics"
  | "gc";

/** A part of an operation. Parts may lie within each other, and beside each other in time. */
export interface OperationPhase {
  /** `lock`, `hooks.before`, `hooks.after`, or what was called: `backend.start`, `network.attach`. */
  readonly name: string;
  /** From the operation's beginning to the phase's, in milliseconds. */
  readonly afterMs: number;
  readonly tookMs: number;
  readonly failed: boolean;
}

/** What became of an operation. */
export interface OperationReport extends Operation {
  /** What the caller called the VM or the snapshot; left out where nothing was named. */
  readonly ref?: string | undefined;
  /** The VM, as soon as it is known which one. */
  readonly vm?:
    | { readonly id: string; readonly name: string; readonly backend: string }
    | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly tookMs: number;
  /** In the order of their beginnings. */
  readonly phases: readonly OperationPhase[];
  /** What the backend tells of a save or a load, in milliseconds: `pauseMs`, `totalMs`, … */
  readonly timings?: Readonly<Record<string, number>> | undefined;
  /** Why it did not come about. */
  readonly error?: SilkErrorJson | undefined;
}

/** What a hook gets besides its context. */
export interface HookTools {
  /** Aborted when the operation is, or when the hook took longer than it may. */
  readonly signal: AbortSignal;
  /** The operation that the hook accompanies. */
  readonly operation: Operation;
}

/** What a `before` hook answers to forbid the operation. */
export interface Veto {
  readonly veto: string;
}

/** What `vm:before-create` and `vm:before-clone` may answer: labels that the VM gets, whatever was asked for. */
export interface AddedLabels {
  readonly labels: Readonly<Record<string, string>>;
}

type Answer<N extends HookName> = N extends "vm:before-create" | "vm:before-clone"
  ? Veto | AddedLabels | undefined | void
  : N extends `${string}before-${string}`
    ? Veto | undefined | void
    : void;

/**
 * Hooks of a plugin, called in the order in which plugins were given, one after the other. A `before` hook may veto; one that throws
 * stops the operation too. The failure of any other hook is reported as a warning and undoes nothing.
 */
export type Hooks = {
  readonly [N in HookName]?: (
    context: HookContexts[N],
    tools: HookTools,
  ) => Promise<Answer<N>> | Answer<N>;
};
