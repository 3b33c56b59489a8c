import { SilkError } from "@silkvm/core";

/** The error for a snapshot whose files are not what this VMM writes, or do not agree with each other. */
export function damagedSnapshot(file: string, why: string, cause?: unknown): SilkError {
  return new SilkError(`the snapshot is damaged: ${file} ${why}`, {
    code: "SNAPSHOT_DAMAGED",
    kind: "failed",
    hint: "Take another snapshot, or import it again from a good copy.",
    details: { file },
    cause,
  });
}

/** The error for a VM that cannot be saved, or a snapshot that cannot be used here, though nothing is wrong with it. */
export function snapshotUnsupported(
  message: string,
  more: {
    readonly hint?: string;
    readonly details?: Readonly<Record<string, unknown>>;
    readonly cause?: unknown;
  } = {},
): SilkError {
  return new SilkError(message, { code: "SNAPSHOT_UNSUPPORTED", kind: "unsupported", ...more });
}

/** The error for a snapshot and a VM that are not made for each other. */
export function snapshotMismatch(message: string): SilkError {
  return new SilkError(message, {
    code: "SNAPSHOT_MISMATCH",
    kind: "conflict",
    hint: "Make a new VM of the snapshot: silk vm clone",
  });
}
