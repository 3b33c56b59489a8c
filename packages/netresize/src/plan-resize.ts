import type { NicView } from "@silkvm/core";

/** What is to be done to bring a VM to a number of NICs, in this order. */
export interface ResizePlan {
  /** NICs that the VMM has lost: they are given to it again. */
  readonly repair: readonly NicView[];
  /** NICs that were taken away before, and that are waited for. */
  readonly release: readonly NicView[];
  /** NICs that were taken away before, and that stand in the way of nothing: they are only told of. */
  readonly leaving: readonly NicView[];
  /** NICs to take away, the last one first. */
  readonly remove: readonly NicView[];
  /** How many NICs to add. */
  readonly add: number;
}

/** Plans the way from the NICs that a VM has to a number of them. What an interrupted resize left is healed first. */
export function planResize(nics: readonly NicView[], target: number): ResizePlan {
  const own = nics.filter(({ state }) => state !== "leaving");
  const leaving = nics.filter(({ state }) => state === "leaving");
  const isGrowing = target > own.length;
  const kept = own.slice(0, target);
  return {
    repair: kept.filter(({ state }) => state === "missing"),
    // Whoever wants fewer NICs wants them gone; whoever wants more need not wait for an old one.
    release: isGrowing ? [] : leaving,
    leaving: isGrowing ? leaving : [],
    remove: own.slice(target).toReversed(),
    add: Math.max(0, target - own.length),
  };
}
