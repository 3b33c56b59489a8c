import { describe, it } from "vitest";
import { loopFaults } from "./fault-loop.ts";
import type { SnapshotVerb } from "./fault-verbs.ts";
import { snapshotTargets } from "./snapshot-targets.ts";

const verbs: readonly SnapshotVerb[] = [
  "snapshot",
  "hibernate",
  "clone",
  "restore",
  "wake",
  "delete-snapshot",
  "export",
  "import",
];

/** How an effect fails before it is done; a time-out comes after it. */
const failures = ["ENOSPC", "EIO", "EACCES"] as const;

describe.each(snapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined).each(verbs)("%s", (verb) => {
    it("leaves the VM and what it has as they were when any one of its effects fails, and succeeds when it is run again", async () => {
      const kindOf = (nth: number) => failures[nth % 3] ?? "EIO";
      await loopFaults(target, verb, { kindOf, step: 1 });
    }, 300_000);

    it("leaves nothing half-made when any one of its effects times out, though it was done", async () => {
      await loopFaults(target, verb, { kindOf: () => "ETIMEDOUT", step: 1 });
    }, 300_000);

    it("is finished or undone by the next command when it is killed at any one of its effects", async () => {
      await loopFaults(target, verb, { kindOf: () => "kill", step: 1 });
    }, 300_000);
  });
});
