import { describe, expect, it, vi } from "vitest";
import { causeMessages, exitCodes, isSilkError, SilkError, toSilkError } from "./errors.ts";

describe("SilkError", () => {
  it("is recognised by its brand, also from another copy of this package", async () => {
    vi.resetModules();
    const copy = await import("./errors.ts");
    const foreign = new copy.SilkError("no", { code: "X", kind: "failed" });
    expect(foreign).not.toBeInstanceOf(SilkError);
    expect(isSilkError(foreign)).toBe(true);
    expect(isSilkError(new Error("no"))).toBe(false);
    expect(isSilkError(undefined)).toBe(false);
  });

  it("becomes JSON with its causes, and without what it does not have", () => {
    const error = new SilkError("outer", { code: "X", kind: "busy", cause: new Error("inner") });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "X",
      kind: "busy",
      message: "outer",
      retryable: true,
      causes: ["inner"],
    });
  });

  it("has the exit code of its kind", () => {
    expect([exitCodes.invalid, exitCodes["not-found"], exitCodes.conflict, exitCodes.busy]).toEqual(
      [2, 3, 4, 4],
    );
    expect([exitCodes.unsupported, exitCodes.timeout, exitCodes.aborted, exitCodes.failed]).toEqual(
      [5, 6, 130, 1],
    );
  });
});

describe("toSilkError", () => {
  it("leaves a SilkError as it is", () => {
    const error = new SilkError("no", { code: "X", kind: "failed" });
    expect(toSilkError(error, "doing")).toBe(error);
  });

  it("tells a full disk, a missing permission and an abort apart", () => {
    const errno = (code: string) => Object.assign(new Error(`${code}: no`), { code });
    expect(toSilkError(errno("ENOSPC"))).toMatchObject({ code: "DISK_FULL", kind: "failed" });
    expect(toSilkError(errno("EACCES"))).toMatchObject({
      code: "PERMISSION_DENIED",
      kind: "denied",
    });
    expect(toSilkError(AbortSignal.abort().reason)).toMatchObject({ kind: "aborted" });
    expect(toSilkError(new DOMException("late", "TimeoutError"))).toMatchObject({
      kind: "timeout",
    });
    expect(toSilkError(new TypeError("x is undefined"))).toMatchObject({ kind: "internal" });
    expect(toSilkError(undefined)).toMatchObject({ kind: "internal" });
    expect(toSilkError("text", "cannot start")).toMatchObject({ message: "cannot start: text" });
  });
});

describe("causeMessages", () => {
  it("leaves out a cause that only repeats its parent, and ends in a circle", () => {
    const inner = new Error("disk full");
    const middle = new Error("cannot write: disk full", { cause: inner });
    const outer = new Error("cannot create", { cause: middle });
    inner.cause = outer;
    expect(causeMessages(outer)).toEqual(["cannot write: disk full"]);
  });
});
