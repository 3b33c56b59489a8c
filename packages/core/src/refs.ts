import { SilkError } from "./errors.ts";
import type { Store } from "./store/store.ts";
import type { VmRecord } from "./vm/record.ts";

/** A shorter prefix is taken for a typo. */
const shortestPrefix = 3;

/**
 * Finds the VM that a person or a program means: by id, by name, or by a prefix of the id (3 characters or more) that only one has.
 * @throws SilkError `VM_NOT_FOUND`; `REF_AMBIGUOUS` with the candidates
 */
export function resolveVm(store: Store | undefined, ref: string): VmRecord {
  const exact = store?.findById(ref) ?? store?.findByName(ref);
  if (exact !== undefined) return exact;
  const candidates = ref.length < shortestPrefix ? [] : (store?.findByIdPrefix(ref) ?? []);
  if (candidates.length > 1) throw ambiguous(ref, candidates);
  const only = candidates[0] === undefined ? undefined : store?.findById(candidates[0].id);
  if (only === undefined) throw vmNotFound(ref);
  return only;
}

export function vmNotFound(ref: string): SilkError {
  return new SilkError(`there is no VM "${ref}"`, {
    code: "VM_NOT_FOUND",
    kind: "not-found",
    hint: "`silk vm list` shows the VMs that there are.",
    details: { ref },
  });
}

function ambiguous(
  ref: string,
  candidates: readonly { readonly id: string; readonly name: string }[],
): SilkError {
  const listed = candidates.map(({ id, name }) => `${id} (${name})`).join(", ");
  return new SilkError(`"${ref}" is the beginning of more than one id: ${listed}`, {
    code: "REF_AMBIGUOUS",
    kind: "conflict",
    hint: "Give more of the id, or the name.",
    details: { ref, candidates },
  });
}
