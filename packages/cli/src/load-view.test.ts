import type { RestoredMemory } from "@silkvm/core";
import { expect, it } from "vitest";
import { limitsLine } from "./load-view.ts";

const memory: RestoredMemory = {
  snapshotId: "3f9a",
  requested: "auto",
  used: "cow",
  reason: "the snapshot's file can be shared",
  limits: ["Its memory cannot be resized.", "KSM does not see it."],
};

it("says in one line what a VM cannot do, and what avoids that", () => {
  expect(limitsLine(memory)).toBe(
    "mapped copy-on-write: its memory cannot be resized; KSM does not see it; --restore-mode copy avoids that",
  );
});

it("says nothing where there is nothing that the VM cannot do", () => {
  expect(limitsLine({ ...memory, used: "copy", limits: [] })).toBeUndefined();
});
