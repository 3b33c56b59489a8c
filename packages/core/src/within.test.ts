import { describe, expect, it } from "vitest";
import { within } from "./within.ts";

const late = (): Error => new Error("late");

describe("within", () => {
  it("gives what the promise gives in time", async () => {
    expect(await within(Promise.resolve(1), 1_000, late)).toBe(1);
  });

  it("fails once the time has passed, or the signal aborts", async () => {
    const never = new Promise<void>(() => {});
    await expect(within(never, 5, late)).rejects.toThrow("late");
    const signal = AbortSignal.abort(new Error("given up"));
    await expect(within(never, 1_000, late, signal)).rejects.toThrow("given up");
  });
});
