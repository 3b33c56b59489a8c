import type { SnapshotManifest } from "../snapshot/manifest.ts";
import type { Attachment, VmRecord } from "../vm/record.ts";
import type { ResolvedVmSpec } from "../vm/spec.ts";

/** A device that is attached or detached. */
export type HookDevice = Pick<Attachment, "kind" | "id" | "data">;

/** What a hook is told of the operation that it accompanies. */
export interface HookContexts {
  "vm:before-create": { readonly spec: ResolvedVmSpec };
  "vm:after-create": { readonly vm: VmRecord };
  "snapshot:before-save": { readonly vm: VmRecord; readonly name: string };
  "snapshot:after-save": { readonly vm: VmRecord; readonly snapshot: SnapshotManifest };
  "vm:before-clone": {
    readonly snapshot: SnapshotManifest;
    readonly id: string;
    readonly name: string;
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
}

export type HookName = keyof HookContexts;

/** What a hook gets besides its context. */
export interface HookTools {
  /** Aborted when the operation is, or when the hook took longer than it may. */
  readonly signal: AbortSignal;
}

/** What a `before` hook answers to forbid the operation. */
export interface Veto {
  readonly veto: string;
}

type BeforeHook<C> = (
  context: C,
  tools: HookTools,
) => Promise<Veto | undefined | void> | Veto | undefined | void;
type AfterHook<C> = (context: C, tools: HookTools) => Promise<void> | void;

/**
 * Hooks of a plugin, called in the order in which plugins were given, one after the other. A `before` hook may veto; one that throws
 * stops the operation too. An `after` hook's failure is reported as a warning and undoes nothing.
 */
export type Hooks = {
  readonly [N in HookName]?: N extends `${string}before-${string}`
    ? BeforeHook<HookContexts[N]>
    : AfterHook<HookContexts[N]>;
};
