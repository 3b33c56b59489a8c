import { describe, expect, it } from "vitest";
import { boundedCall } from "./call.ts";
import { SilkError } from "./errors.ts";

const untilAborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) =>
    signal?.addEventListener("abort", () => reject(signal.reason as Error)),
  );

describe("boundedCall", () => {
  it("tells an abort, a deadline and a failure apart", async () => {
    const abort = new AbortController();
    const aborted = boundedCall(
      "cannot start",
      { signal: abort.signal, timeoutMs: 60_000 },
      untilAborted,
    );
    abort.abort(new Error("the user left"));
    await expect(aborted).rejects.toMatchObject({
      kind: "aborted",
      cause: { message: "the user left" },
    });
    await expect(boundedCall("cannot start", { timeoutMs: 1 }, untilAborted)).rejects.toMatchObject(
      {
        kind: "timeout",
        message: "cannot start: not done within 1 ms",
      },
    );
    const failing = boundedCall("cannot start", { timeoutMs: 60_000 }, () =>
      Promise.reject(new Error("no")),
    );
    await expect(failing).rejects.toMatchObject({ kind: "internal", message: "cannot start: no" });
  });

  it("takes a signal that is a deadline for a deadline", async () => {
    const call = boundedCall("x", { signal: AbortSignal.timeout(1) }, untilAborted);
    await expect(call).rejects.toMatchObject({ kind: "timeout", code: "TIMED_OUT" });
  });

  it("does nothing at all when the signal was aborted before", async () => {
    let ran = false;
    const call = boundedCall("x", { signal: AbortSignal.abort() }, async () => {
      ran = true;
    });
    await expect(call).rejects.toMatchObject({ kind: "aborted" });
    expect(ran).toBe(false);
  });

  it("keeps a failure that came first, though the deadline has passed since", async () => {
    const failure = new SilkError("the disk is locked", { code: "DISK_LOCKED", kind: "conflict" });
    const call = boundedCall("x", { timeoutMs: 1 }, async (signal) => {
      await untilAborted(signal).catch(() => undefined);
      throw failure;
    });
    await expect(call).rejects.toBe(failure);
  });
});
