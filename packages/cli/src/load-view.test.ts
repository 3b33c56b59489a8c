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
  expect(limitsLine({ name: "web", memory })).toBe(
    "mapped copy-on-write: its memory cannot be resized; KSM does not see it; --restore-mode copy avoids that",
  );
});

it("stays short where there is much that a VM cannot do", () => {
  const limits = [...memory.limits, "A third thing.", "A fourth."];
  expect(limitsLine({ name: "web", memory: { ...memory, limits } })).toBe(
    "mapped copy-on-write: its memory cannot be resized; KSM does not see it; 2 more in `silk vm inspect web`; --restore-mode copy avoids that",
  );
});

it("says nothing where there is nothing that the VM cannot do", () => {
  expect(
    limitsLine({ name: "web", memory: { ...memory, used: "copy", limits: [] } }),
  ).toBeUndefined();
});
