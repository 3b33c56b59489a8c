import { describe, it } from "vitest";
import { loopFaults } from "./fault-loop.ts";
import type { SnapshotVerb } from "./fault-verbs.ts";
import { qemuMissing, qemuSettings, qemuSpec } from "./real-qemu.ts";
import { realGuest } from "./snapshot-guest.ts";
import type { SnapshotTarget } from "./snapshot-targets.ts";

const target: SnapshotTarget = {
  name: "qemu",
  missing: qemuMissing,
  chBinary: () => "cloud-hypervisor",
  vmm: async () => "cloud-hypervisor",
  settings: qemuSettings,
  spec: qemuSpec,
  consoleEcho: { send: "echo are-you-there", expect: "are-you-there" },
  guest: realGuest,
};

/** What the engine does is tried in full on the stand-in for Cloud Hypervisor; of what is QEMU's a sample stands for all. */
const step = 12;
const failures = ["ENOSPC", "EIO", "EACCES"] as const;
const verbs: readonly SnapshotVerb[] = ["snapshot", "clone", "restore", "wake"];

describe.skipIf(target.missing !== undefined).each(verbs)("on qemu: %s", (verb) => {
  it("leaves nothing half-made when its effects fail, time out though they were done, or end the process, and succeeds when it is run again", async () => {
    await Promise.all([
      loopFaults(target, verb, { kindOf: (nth) => failures[nth % 3] ?? "EIO", first: 3, step }),
      loopFaults(target, verb, { kindOf: () => "ETIMEDOUT", first: 7, step }),
      loopFaults(target, verb, { kindOf: () => "kill", first: 11, step }),
    ]);
  }, 300_000);
});
