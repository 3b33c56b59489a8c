import type { VmRecord } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { checkMemory } from "./check-memory.ts";

function vm(config: object, used?: string): VmRecord {
  const runtime = used === undefined ? {} : { memory: { used, snapshotId: "s1" } };
  const whole = { sharedMemory: false, hugepages: false, ...config };
  return { id: "a1", name: "web", config: whole, runtime } as unknown as VmRecord;
}

describe("a VM's memory", () => {
  it("can be reached where it is shared, or in huge pages", () => {
    checkMemory(vm({ sharedMemory: true }));
    checkMemory(vm({ hugepages: true }));
    checkMemory(vm({ sharedMemory: true }, "copy"));
    checkMemory(vm({ sharedMemory: true }, "ondemand"));
  });

  it("cannot be reached where it is private: the hint says how to make a VM for it", () => {
    expect(() => checkMemory(vm({}))).toThrow(
      expect.objectContaining({
        code: "MEMORY_NOT_SHARED",
        hint: expect.stringContaining("--shared-memory") as string,
      }),
    );
  });

  it("cannot be reached where it is a copy-on-write mapping of a snapshot, whatever the VM was made with", () => {
    expect(() => checkMemory(vm({ sharedMemory: true }, "cow"))).toThrow(
      expect.objectContaining({
        code: "MEMORY_NOT_SHARED",
        hint: expect.stringContaining("--restore-mode copy") as string,
      }),
    );
  });
});
