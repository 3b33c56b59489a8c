import { describe, it } from "vitest";
import { type Loop, loopFaults } from "./fault-loop.ts";
import type { SnapshotVerb } from "./fault-verbs.ts";
import { type SnapshotTarget, snapshotTargets } from "./snapshot-targets.ts";

/** How an effect fails before it is done; a time-out comes after it. */
const failures = ["ENOSPC", "EIO", "EACCES"] as const;

/**
 * On ch-sim every effect fails once and is killed once, and every third one times out; on a real VMM, which does most of the same by the same code, a third
 * of them fails, another third times out, and the last one is killed.
 */
function effectsOf(
  target: SnapshotTarget,
  kind: "fail" | "time out" | "kill",
): Omit<Loop, "kindOf"> {
  if (target.name !== "ch-sim")
    return { first: { fail: 1, "time out": 2, kill: 3 }[kind], step: 3 };
  return { first: 1, step: kind === "time out" ? 3 : 1 };
}

/** The fault loops of some verbs, on every VMM that is there. */
export function describeFaults(verbs: readonly SnapshotVerb[]): void {
  describe.each(snapshotTargets)("on $name", (target) => {
    describe.skipIf(target.missing !== undefined).each(verbs)("%s", (verb) => {
      it("leaves nothing half-made when any of its effects fails, or times out though it was done, and succeeds when it is run again", async () => {
        const kindOf = (nth: number) => failures[nth % 3] ?? "EIO";
        await Promise.all([
          loopFaults(target, verb, { kindOf, ...effectsOf(target, "fail") }),
          loopFaults(target, verb, {
            kindOf: () => "ETIMEDOUT",
            ...effectsOf(target, "time out"),
          }),
        ]);
      }, 300_000);

      it("is finished or undone by the next command when it is killed at any of its effects", async () => {
        const kindOf = () => "kill" as const;
        const { first, step } = effectsOf(target, "kill");
        // Two halves, side by side.
        await Promise.all([
          loopFaults(target, verb, { kindOf, first, step: step * 2 }),
          loopFaults(target, verb, { kindOf, first: first + step, step: step * 2 }),
        ]);
      }, 300_000);
    });
  });
}
