/**
 * How a guest gets its memory back:
 * - `copy`: all of it is read before the guest runs
 * - `ondemand`: a page is read when the guest first touches it, and the rest by and by
 * - `cow`: the snapshot's file is mapped and shared; only what the guest writes is its own
 * - `auto`: the one that suits best, for a reason that the result gives
 */
export type RestoreMode = "auto" | "copy" | "ondemand" | "cow";

/** All ways in which a VM gets the memory of a snapshot. */
export const restoreModes: readonly RestoreMode[] = ["auto", "copy", "ondemand", "cow"];

/** How a VM that runs got its memory back. */
export interface RestoredMemory {
  /** The snapshot that it came from. */
  readonly snapshotId: string;
  readonly requested: RestoreMode;
  readonly used: Exclude<RestoreMode, "auto">;
  /** Why it was not what was asked for, or why `auto` chose it. */
  readonly reason: string;
  /** What the VM cannot do until it is started anew, each a sentence. */
  readonly limits: readonly string[];
}
