import { describe, it } from "vitest";
import { loopFaults } from "./fault-loop.ts";
import { faultsMs, faultWays } from "./fault-sample.ts";
import type { SnapshotVerb } from "./fault-verbs.ts";
import { type SnapshotTarget, snapshotTargets } from "./snapshot-targets.ts";

/** The fault loops of some verbs, on every VMM that is there. */
export function describeFaults(
  verbs: readonly SnapshotVerb[],
  targets: readonly SnapshotTarget[] = snapshotTargets,
): void {
  describe.each(targets)("on $name", (target) => {
    describe.skipIf(target.missing !== undefined).each(verbs)("%s", (verb) => {
      it.each(faultWays)(
        "leaves nothing half-made when an effect %s, and succeeds when it is run again",
        (way) => loopFaults(target, verb, way),
        faultsMs,
      );
    });
  });
}
