import { CLIError, ExitError } from "@oclif/core/errors";
import { exitCodes, SilkError, type SilkErrorKind } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { CliError, usageError } from "../cli-error.ts";
import { toFailure } from "./failure.ts";

describe("toFailure", () => {
  it.each(Object.entries(exitCodes))(
    "gives an error of kind %s core's exit code %d",
    (kind, exitCode) => {
      const error = new SilkError("it went wrong", { code: "X", kind: kind as SilkErrorKind });
      expect(toFailure(error)).toMatchObject({ exitCode, error: { code: "X", kind } });
      const own = new CliError("it went wrong", { code: "X", kind: kind as SilkErrorKind });
      expect(toFailure(own)).toMatchObject({ exitCode, error: { code: "X", kind } });
    },
  );

  it("knows a SilkError of another copy of core", () => {
    const foreign = Object.assign(new Error("no"), {
      [Symbol.for("silkvm.error")]: true,
      toJSON: () => ({ code: "FOREIGN", kind: "conflict", message: "no", retryable: false }),
    });
    expect(toFailure(foreign)).toMatchObject({
      exitCode: 4,
      error: { code: "FOREIGN" },
    });
  });

  it("points to the help of the command that was typed wrongly", () => {
    expect(toFailure(usageError("no"), "vm:start").error?.hint).toBe(
      "`silk vm start --help` shows how it is used.",
    );
    expect(toFailure(usageError("no", "Do this."), "vm:start").error?.hint).toBe("Do this.");
  });

  it("tells an abort and a time-out from a failure", () => {
    expect(toFailure(AbortSignal.abort().reason)).toMatchObject({
      exitCode: 130,
      error: { kind: "aborted" },
    });
    const timeout = new DOMException("late", "TimeoutError");
    expect(toFailure(timeout)).toMatchObject({ exitCode: 6, error: { kind: "timeout" } });
  });

  it("knows the errors of the operating system", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
    });
    expect(toFailure(full)).toMatchObject({ exitCode: 1, error: { code: "DISK_FULL" } });
  });

  it("takes everything else for a fault of silk's", () => {
    expect(toFailure(new TypeError("x is not a function"))).toMatchObject({
      exitCode: 1,
      error: { code: "INTERNAL", kind: "internal" },
    });
    expect(toFailure("a string")).toMatchObject({
      exitCode: 1,
      error: { message: "a string" },
    });
    expect(toFailure(undefined)).toMatchObject({ exitCode: 1 });
  });

  it("takes a plain error for a fault in our own commands alone", () => {
    const error = new Error("nosuch not installed");
    expect(toFailure(error)).toMatchObject({ exitCode: 1, error: { kind: "failed" } });
    expect(toFailure(error, "vm:list")).toMatchObject({ error: { kind: "internal" } });
  });

  it("says nothing of a command that asks to end", () => {
    expect(toFailure(new ExitError(7))).toEqual({ exitCode: 7 });
  });

  it("keeps the exit code and the suggestions of a plugin's error", () => {
    const error = new CLIError("the plugin gave up", {
      exit: 9,
      code: "GAVE_UP",
      suggestions: ["Try again."],
    });
    expect(toFailure(error)).toMatchObject({
      exitCode: 9,
      error: { code: "GAVE_UP", kind: "failed", message: "the plugin gave up", hint: "Try again." },
    });
  });
});
