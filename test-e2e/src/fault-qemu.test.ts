import { describe, it } from "vitest";
import { loopFaults } from "./fault-loop.ts";
import type { SnapshotVerb } from "./fault-verbs.ts";
import { qemuLoopMs, qemuSample, qemuTarget } from "./real-qemu.ts";
import { realGuest } from "./snapshot-guest.ts";
import type { SnapshotTarget } from "./snapshot-targets.ts";

const target: SnapshotTarget = {
  ...qemuTarget,
  vmm: async () => "cloud-hypervisor",
  guest: realGuest,
};

const failures = ["ENOSPC", "EIO", "EACCES"] as const;
const verbs: readonly SnapshotVerb[] = ["snapshot", "clone", "restore", "wake"];

describe.skipIf(target.missing !== undefined).each(verbs)("on qemu: %s", (verb) => {
  it(
    "leaves nothing half-made when its effects fail, time out though they were done, or end the process, and succeeds when it is run again",
    async () => {
      await Promise.all([
        loopFaults(target, verb, {
          kindOf: (nth) => failures[nth % 3] ?? "EIO",
          ...qemuSample(3, 12),
        }),
        loopFaults(target, verb, { kindOf: () => "ETIMEDOUT", ...qemuSample(7, 12) }),
        loopFaults(target, verb, { kindOf: () => "kill", ...qemuSample(11, 12) }),
      ]);
    },
    qemuLoopMs,
  );
});
