import { SilkError } from "../errors.ts";
import type { HostLock } from "../host.ts";
import { resolveVm, vmNotFound } from "../refs.ts";
import type { Store } from "../store/store.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { reconcile } from "./reconcile.ts";
import { recoverAll, recoverSubject } from "./recover.ts";
import type { ChangeOptions } from "./types.ts";

/** What a verb has in hand while it changes a VM. */
export interface Held {
  readonly store: Store;
  /** The record as it is under the lock, corrected by what is true. */
  readonly vm: VmRecord;
}

/**
 * Runs a verb on the VM that a ref means, with the VM's lock held, after whatever was interrupted has been finished or undone.
 * @throws SilkError `VM_NOT_FOUND`, `REF_AMBIGUOUS`, `VM_BUSY`
 */
export async function withVm<T>(
  core: EngineCore,
  ref: string,
  options: ChangeOptions,
  signal: AbortSignal | undefined,
  run: (held: Held) => Promise<T>,
): Promise<T> {
  const store = await core.store();
  await recoverAll(core, store);
  const named = resolveVm(store, ref);
  const { seq } = named;
  core.observer?.subject(named);
  await using _lock = await lockVm(core, store, seq, options, signal);
  // Its last owner may have died while we waited for it.
  await recoverSubject(core, store, seq);
  const vm = store.findBySeq(seq);
  if (vm === undefined) throw vmNotFound(ref);
  return await run({ store, vm: await reconcile(core, store, vm) });
}

/** @throws SilkError `VM_BUSY` that names the operation which holds it */
export function lockVm(
  core: EngineCore,
  store: Store,
  seq: number,
  options: ChangeOptions,
  signal: AbortSignal | undefined,
): Promise<HostLock> {
  return lockSubject(core, store, { seq, what: "VM" }, options, signal);
}

/** @throws SilkError `VM_BUSY` or `SNAPSHOT_BUSY` that names the operation which holds it */
export async function lockSubject(
  core: EngineCore,
  store: Store,
  subject: {
    readonly seq: number;
    readonly what: "VM" | "snapshot";
    readonly shared?: boolean | undefined;
  },
  options: ChangeOptions,
  signal: AbortSignal | undefined,
): Promise<HostLock> {
  const { seq, what, shared } = subject;
  const waitMs = options.wait === false ? 0 : Number.POSITIVE_INFINITY;
  const lock = await core.phase("lock", () =>
    core.host.locks.acquire(core.lockPath, seq, { waitMs, signal, shared }),
  );
  if (lock !== undefined) return lock;
  const operation = store.findOperation(seq);
  const holder =
    operation === undefined
      ? "another operation"
      : `"${operation.verb}" by process ${operation.owner.pid}, since ${operation.startedAt}`;
  throw new SilkError(`the ${what} is busy: ${holder}`, {
    code: what === "VM" ? "VM_BUSY" : "SNAPSHOT_BUSY",
    kind: "busy",
    hint: "Run the command again, without --no-wait to wait for it.",
    details:
      operation === undefined
        ? {}
        : { verb: operation.verb, pid: operation.owner.pid, startedAt: operation.startedAt },
  });
}
