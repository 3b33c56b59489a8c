import {
  type LoadRequest,
  type OperationContext,
  type RestoredMemory,
  SilkError,
} from "@silkvm/core";

const why = "QEMU reads all of the memory before the guest runs";

/**
 * How a guest gets its memory back: by a copy, whatever is asked for.
 * @throws SilkError `RESTORE_MODE_UNAVAILABLE` where another mode is insisted on
 */
export function chooseMode(
  { mode, strict, source }: LoadRequest,
  { warn }: Pick<OperationContext, "warn">,
): RestoredMemory {
  const isOther = mode !== "copy" && mode !== "auto";
  if (isOther && strict)
    throw new SilkError(`the restore mode "${mode}" is not possible: ${why}`, {
      code: "RESTORE_MODE_UNAVAILABLE",
      kind: "unsupported",
      hint: "Use another one (--restore-mode copy), or let silk choose: leave --strict out.",
      details: { mode, reason: why },
    });
  if (isOther) warn(`the memory is restored by "copy" instead of "${mode}": ${why}`);
  return {
    snapshotId: source.manifest.id,
    requested: mode,
    used: "copy",
    reason: mode === "copy" ? "it was asked for" : why,
    limits: [],
  };
}
