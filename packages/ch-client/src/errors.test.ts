import { describe, expect, it } from "vitest";
import { errorAnswer } from "../test/support/fixtures.ts";
import { errorChain } from "./error-body.ts";
import type * as errors from "./errors.ts";
import {
  ChAbortError,
  ChApiError,
  ChConnectionError,
  ChInvalidRequestError,
  ChProtocolError,
  ChTimeoutError,
  ChVmmEndedError,
  isChError,
} from "./errors.ts";

const context = { method: "PUT", operation: "vm.boot" } as const;
const classes = [
  ChApiError,
  ChConnectionError,
  ChTimeoutError,
  ChAbortError,
  ChProtocolError,
  ChInvalidRequestError,
  ChVmmEndedError,
];
const samples = [
  new ChApiError(context, { status: 500, chain: ["a"], body: '["a"]' }),
  new ChConnectionError(context, { reason: "missing", socketPath: "/s", sent: false }),
  new ChTimeoutError(context, { timeoutMs: 5, sent: true }),
  new ChAbortError(context, { reason: "r", sent: true }),
  new ChProtocolError(context, { message: "m" }),
  new ChInvalidRequestError(context, { reason: "not-json", message: "m" }),
  new ChVmmEndedError("it answered"),
];

describe("the errors", () => {
  it("each have a code of their own, and are known by the guard of their class alone", () => {
    expect(new Set(samples.map(({ code }) => code)).size).toBe(samples.length);
    for (const [index, sample] of samples.entries()) {
      expect(isChError(sample)).toBe(true);
      expect(sample).toBeInstanceOf(Error);
      expect(classes.map((each) => each.is(sample))).toEqual(
        classes.map((_, other) => other === index),
      );
    }
  });

  it("are known across two copies of this package", async () => {
    // The query makes it another module with classes of its own.
    const path = "./errors.ts?copy";
    const copy = (await import(/* @vite-ignore */ path)) as typeof errors;
    const foreign = new copy.ChTimeoutError(context, { timeoutMs: 5, sent: true });
    expect(foreign).not.toBeInstanceOf(ChTimeoutError);
    expect(ChTimeoutError.is(foreign)).toBe(true);
    expect(ChApiError.is(foreign)).toBe(false);
  });

  it("are not taken for what they are not", () => {
    for (const other of [undefined, null, "CH_API", {}, new Error("x"), { code: "CH_API" }]) {
      expect(isChError(other)).toBe(false);
      expect(classes.some((each) => each.is(other))).toBe(false);
    }
  });

  it("say on one line what was called and what went wrong", () => {
    const { status, body } = errorAnswer("vm.snapshot", "GetNestedState");
    const error = new ChApiError(
      { method: "PUT", operation: "vm.snapshot" },
      { status, chain: errorChain(body), body },
    );
    expect(error.message).toBe(
      "vm.snapshot: The VM could not be snapshotted: Cannot snapshot VM: Failed to snapshot migratable component: " +
        "Could not get vCPU state GetNestedState(Invalid argument (os error 22) (HTTP status 500)",
    );
    expect(error.chain.at(-1)).toContain("Stack backtrace");
    expect(
      new ChConnectionError(context, {
        reason: "refused",
        socketPath: "/run/s",
        sent: false,
        cause: new Error("connect ECONNREFUSED /run/s"),
      }).message,
    ).toBe("vm.boot: Nobody listens on the API socket: /run/s (connect ECONNREFUSED /run/s)");
    expect(String(new ChVmmEndedError("its API answered"))).toBe(
      "ChVmmEndedError: The VMM ended before its API answered",
    );
  });
});
