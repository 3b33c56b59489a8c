import { type RestoredMemory, type RestoreMode, SilkError } from "@silkvm/core";

/** Versions of the VMM on which mapping a snapshot's memory was tried: what another one makes of the rewritten files nobody knows. */
const cowTestedMajors: ReadonlySet<number> = new Set([53]);

/** How the guest gets its memory back, and why so. */
export type ModeChoice = Pick<RestoredMemory, "requested" | "used" | "reason" | "limits"> & {
  /** Whether something else than what was asked for is done. */
  readonly isSubstitute: boolean;
};

export interface ModeQuestion {
  readonly requested: RestoreMode;
  readonly strict: boolean;
  /** A clone shares its snapshot's memory with others; a VM that goes back to a snapshot gains little by that. */
  readonly purpose: "clone" | "restore";
  /** Why the memory cannot be mapped; undefined where it can. */
  readonly cowObstacle: string | undefined;
}

/** What a VM on a mapped memory file cannot do, each a sentence. */
const cowLimits: readonly string[] = [
  "Its memory cannot be resized.",
  "Directories of the host cannot be shared with it (virtiofs).",
  "Memory that the guest gives back by its balloon stays in use on the host.",
  "A reboot from within the guest begins with memory that is not zeroed, and needs the snapshot's memory file, of which the VM keeps a link.",
];

const ondemandLimits: readonly string[] = [
  "It cannot be saved until all of its memory has been read, some seconds after its start.",
];

/**
 * Chooses how a guest gets its memory back.
 * @throws SilkError `RESTORE_MODE_UNAVAILABLE` where the mode is impossible and nothing else will do
 */
export function chooseMode(question: ModeQuestion): ModeChoice {
  const { requested, strict, purpose, cowObstacle } = question;
  if (requested === "copy") return chosen(requested, "copy", "it was asked for");
  if (requested === "ondemand") return chosen(requested, "ondemand", "it was asked for");
  if (requested === "cow") {
    if (cowObstacle === undefined) return chosen(requested, "cow", "it was asked for");
    if (strict) throw modeUnavailable("cow", cowObstacle);
    return { ...chosen(requested, "copy", cowObstacle), isSubstitute: true };
  }
  if (purpose === "restore")
    return chosen(requested, "copy", "the VM is to stand on its own, without the snapshot's file");
  return cowObstacle === undefined
    ? chosen(requested, "cow", "clones share the memory that they do not change")
    : chosen(requested, "copy", cowObstacle);
}

/** What is done when the VMM does not take the mode: everything is read, which it always can. */
export function insteadOf({ requested, used }: ModeChoice, why: string): ModeChoice {
  return {
    ...chosen(requested, "copy", `the VMM did not take "${used}": ${why}`),
    isSubstitute: requested !== "auto",
  };
}

/** Why this VMM on this machine cannot map a snapshot's memory; undefined where it can. */
export function cowHostObstacle(major: number | undefined, arch: string): string | undefined {
  if (arch !== "x64" && arch !== "x86_64") return `mapping the memory was never tried on ${arch}`;
  if (major !== undefined && cowTestedMajors.has(major)) return undefined;
  return `mapping the memory was never tried with this version of the VMM`;
}

/** The error for a mode that was insisted on. */
export function modeUnavailable(mode: RestoreMode, why: string, cause?: unknown): SilkError {
  return new SilkError(`the restore mode "${mode}" is not possible: ${why}`, {
    code: "RESTORE_MODE_UNAVAILABLE",
    kind: "unsupported",
    hint: "Use another one (--restore-mode copy), or let silk choose: leave --strict out.",
    details: { mode, reason: why },
    cause,
  });
}

function chosen(requested: RestoreMode, used: ModeChoice["used"], reason: string): ModeChoice {
  const limits = { copy: [], ondemand: ondemandLimits, cow: cowLimits }[used];
  return { requested, used, reason, limits, isSubstitute: false };
}
