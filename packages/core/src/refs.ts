import { SilkError } from "./errors.ts";
import type { SnapshotRecord } from "./store/snapshot-record.ts";
import type { Store } from "./store/store.ts";
import type { VmRecord } from "./vm/record.ts";

/** A shorter prefix is taken for a typo. */
const shortestPrefix = 3;

interface Named {
  readonly id: string;
  readonly name: string;
}

/**
 * Finds the VM that a person or a program means: by id, by name, or by a prefix of the id (3 characters or more) that only one has.
 * @throws SilkError `VM_NOT_FOUND`; `REF_AMBIGUOUS` with the candidates
 */
export function resolveVm(store: Store | undefined, ref: string): VmRecord {
  const found = resolve(ref, {
    exact: (value) => store?.findById(value) ?? store?.findByName(value),
    byPrefix: (prefix) => store?.findByIdPrefix(prefix) ?? [],
  });
  if (found === undefined) throw vmNotFound(ref);
  return found;
}

/**
 * Finds a snapshot in the same way.
 * @throws SilkError `SNAPSHOT_NOT_FOUND`; `REF_AMBIGUOUS` with the candidates
 */
export function resolveSnapshot(store: Store | undefined, ref: string): SnapshotRecord {
  const found = resolve(ref, {
    exact: (value) => store?.findSnapshot("id", value) ?? store?.findSnapshot("name", value),
    byPrefix: (prefix) => store?.findSnapshotsByIdPrefix(prefix) ?? [],
  });
  if (found === undefined) throw snapshotNotFound(ref);
  return found;
}

export function vmNotFound(ref: string): SilkError {
  return new SilkError(`there is no VM "${ref}"`, {
    code: "VM_NOT_FOUND",
    kind: "not-found",
    hint: "`silk vm list` shows the VMs that there are.",
    details: { ref },
  });
}

export function snapshotNotFound(ref: string): SilkError {
  return new SilkError(`there is no snapshot "${ref}"`, {
    code: "SNAPSHOT_NOT_FOUND",
    kind: "not-found",
    hint: "`silk snapshot list` shows the snapshots that there are.",
    details: { ref },
  });
}

function resolve<T extends Named>(
  ref: string,
  among: {
    readonly exact: (value: string) => T | undefined;
    readonly byPrefix: (prefix: string) => readonly Named[];
  },
): T | undefined {
  const exact = among.exact(ref);
  if (exact !== undefined) return exact;
  const candidates = ref.length < shortestPrefix ? [] : among.byPrefix(ref);
  if (candidates.length > 1) throw ambiguous(ref, candidates);
  return candidates[0] === undefined ? undefined : among.exact(candidates[0].id);
}

function ambiguous(ref: string, candidates: readonly Named[]): SilkError {
  const listed = candidates.map(({ id, name }) => `${id} (${name})`).join(", ");
  return new SilkError(`"${ref}" is the beginning of more than one id: ${listed}`, {
    code: "REF_AMBIGUOUS",
    kind: "conflict",
    hint: "Give more of the id, or the name.",
    details: { ref, candidates },
  });
}
