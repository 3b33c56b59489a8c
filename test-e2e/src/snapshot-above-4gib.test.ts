import type { RestoreMode } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { isLong } from "./long.ts";
import { ask } from "./snapshot-console.ts";
import { onScene } from "./snapshot-scene.ts";
import { type SnapshotTarget, snapshotTargets } from "./snapshot-targets.ts";

const real = snapshotTargets.find(({ name }) => name === "cloud-hypervisor") as SnapshotTarget;
/** Devices have the fourth gibibyte for themselves: a quarter of one is above it. */
const memoryBytes = 3328 * 1024 ** 2;

const timeoutMs = 120_000;

/** Below what devices have for themselves, and above. */
const filled = ["mem 3 16", "highmem 4 16"];
const check = ["memcheck 3 16", "highmemcheck 4 16"];

describe.skipIf(real.missing)("a guest with memory above 4 GiB on a real Cloud Hypervisor", () => {
  const goesOn = async (restoreMode: RestoreMode): Promise<void> => {
    await onScene(real, async ({ engine, boot }) => {
      const source = await boot("source", { cpus: 2, memoryBytes });
      for (const line of filled) expect(await ask(source, line)).toBe("ok");
      const options = { restoreMode, strict: true };
      const first = await source.save();
      const { vm: clone } = await engine.clone({ snapshot: first.id }, options);
      for (const line of check) expect(await ask(clone, line)).toBe("ok");
      expect(await ask(clone, "highmem 5 16")).toBe("ok");
      // What a clone writes is its own, above as below.
      expect(await ask(source, "highmemcheck 4 16")).toBe("ok");
      await clone.restore({ snapshot: first.id }, options);
      for (const line of check) expect(await ask(clone, line)).toBe("ok");
      if (restoreMode !== "cow") return;

      // Its own snapshot is put together of the file that it maps and of what it has changed.
      expect(await ask(clone, "highmem 5 8")).toBe("ok");
      const { id } = await clone.save();
      const { vm: again } = await engine.clone({ snapshot: id }, options);
      expect(await ask(again, "memcheck 3 16")).toBe("ok");
      expect(await ask(again, "highmemcheck 5 8")).toBe("ok");
      expect(await ask(again, "highmemcheck 4 16")).toMatch(/^bad 0x0000000100000000$/);
    });
  };
  const title = "has all of it where it was, in clones of clones and restored, by %s";
  it.each(["cow"] as const)(title, goesOn, timeoutMs);
  // Gibibytes are copied: the other modes take long.
  it.runIf(isLong).each(["copy", "ondemand"] as const)(title, goesOn, timeoutMs);
});
