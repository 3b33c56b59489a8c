import { SilkError, type SilkErrorOptions } from "@silkvm/core";
import { QmpClosedError, QmpError, QmpTimeoutError } from "./qmp/errors.ts";

/** An error of the monitor's as one of silk's; anything else, an abort above all, as it is. */
export function fromQmp(error: unknown, what: string): unknown {
  const told = classOf(error);
  if (told === undefined) return error;
  return new SilkError(`${what}: ${(error as Error).message}`, { ...told, cause: error });
}

function classOf(error: unknown): SilkErrorOptions | undefined {
  if (error instanceof QmpTimeoutError)
    return {
      code: "VMM_TIMEOUT",
      kind: "timeout",
      hint: "The VMM is busy, hangs, or somebody else talks to its monitor; its log tells more.",
    };
  if (error instanceof QmpClosedError)
    return error.code === "EACCES" || error.code === "EPERM"
      ? { code: "PERMISSION_DENIED", kind: "denied", hint: "Run as the user who started the VM." }
      : {
          code: "VMM_UNREACHABLE",
          kind: "unavailable",
          hint: "Look whether the VM still runs: silk vm inspect",
        };
  if (error instanceof QmpError)
    return { code: "VMM_REFUSED", kind: "failed", details: { command: error.command } };
  return undefined;
}
