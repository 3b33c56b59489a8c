import { ChApiError, ChConnectionError, ChTimeoutError, isChError } from "@silkvm/ch-client";
import { SilkError, type SilkErrorOptions } from "@silkvm/core";

/** An error of the VMM's API as one of silk's; anything else, an abort above all, as it is. */
export function fromVmm(error: unknown, what: string): unknown {
  if (!isChError(error) || error.name === "AbortError") return error;
  const { code, kind, hint } = classOf(error);
  return new SilkError(`${what}: ${error.message}`, {
    code,
    kind,
    ...(hint === undefined ? {} : { hint }),
    details: ChApiError.is(error) ? { status: error.status, chain: error.chain } : {},
    cause: error,
  });
}

function classOf(error: unknown): Pick<SilkErrorOptions, "code" | "kind" | "hint"> {
  if (ChTimeoutError.is(error))
    return {
      code: "VMM_TIMEOUT",
      kind: "timeout",
      hint: "The VMM is busy or hangs; its log tells more.",
    };
  if (ChConnectionError.is(error))
    return error.reason === "denied"
      ? { code: "PERMISSION_DENIED", kind: "denied", hint: "Run as the user who started the VM." }
      : {
          code: "VMM_UNREACHABLE",
          kind: "unavailable",
          hint: "Look whether the VM still runs: silk vm inspect",
        };
  return { code: "VMM_REFUSED", kind: "failed", hint: undefined };
}
