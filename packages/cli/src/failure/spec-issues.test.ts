import type { SilkErrorJson } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { inFlags } from "./spec-issues.ts";

const error = (...issues: { path: string; message: string }[]): SilkErrorJson => ({
  code: "INVALID_SPEC",
  kind: "invalid",
  message: "the VM's spec is not valid",
  retryable: false,
  details: { issues },
});

describe("an error about a VM's spec", () => {
  it.each([
    ["boot.cmdline", "must be one line", "--cmdline must be one line"],
    ["disks.2.serial", "must be short", "--disk: serial must be short"],
    [
      "dataDisks.0.sizeBytes",
      "must be at least 16 MiB",
      "--data-disk: size must be at least 16 MiB",
    ],
    ["diskQueueSize", "must be a power of two", "--disk-queue-size must be a power of two"],
    ["labels.a.b c", "has a bad key", "--label a.b c has a bad key"],
  ])("names the flag of %s", (path, message, told) => {
    expect(inFlags(error({ path, message })).message).toBe(told);
  });

  it("names all flags", () => {
    const both = error({ path: "cpus", message: "is bad" }, { path: "nics", message: "is bad" });
    expect(inFlags(both).message).toBe("--cpus is bad; --nics is bad");
  });

  it("is left as it is where a field has no flag, and so is any other error", () => {
    const unknown = error({ path: "cpus", message: "is bad" }, { path: "x", message: "is bad" });
    expect(inFlags(unknown)).toBe(unknown);
    const other = { ...unknown, code: "INVALID_NAME" };
    expect(inFlags(other)).toBe(other);
  });
});
