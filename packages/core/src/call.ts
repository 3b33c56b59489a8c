import { SilkError, isSilkError, toSilkError } from "./errors.ts";

/** Options of every call of the SDK. */
export interface EngineCallOptions {
  /** Aborts the call: it rejects with kind `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline of the whole call: it rejects with kind `timeout`. Default: none. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Runs a call of the SDK under its signal and its deadline. Whatever it throws reaches the caller as a SilkError, and an abort,
 * a time-out and a failure can be told apart: by what ended the call, not by what the depths below made of it.
 */
export async function boundedCall<T>(
  doing: string,
  options: EngineCallOptions,
  run: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const deadline =
    options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const signals = [options.signal, deadline].filter((signal) => signal !== undefined);
  try {
    if (options.signal?.aborted === true) throw options.signal.reason;
    return await run(signals.length === 0 ? undefined : AbortSignal.any(signals));
  } catch (error) {
    if (isSilkError(error) && error.kind !== "aborted" && error.kind !== "timeout") throw error;
    if (options.signal?.aborted === true) throw abortedCall(doing, options.signal.reason);
    if (deadline?.aborted === true)
      throw new SilkError(`${doing}: not done within ${options.timeoutMs} ms`, {
        code: "TIMED_OUT",
        kind: "timeout",
        hint: "Allow more time with --timeout.",
        cause: error,
      });
    throw toSilkError(error, doing);
  }
}

/** The caller's signal may be a deadline, too: `AbortSignal.timeout`. */
function abortedCall(doing: string, reason: unknown): SilkError {
  const byTime = reason instanceof DOMException && reason.name === "TimeoutError";
  // An abort without a reason of its own has nothing to add.
  const silent = reason instanceof DOMException && reason.name === "AbortError";
  return byTime
    ? new SilkError(`${doing}: not done in time`, {
        code: "TIMED_OUT",
        kind: "timeout",
        cause: reason,
      })
    : new SilkError(`${doing}: aborted`, {
        code: "ABORTED",
        kind: "aborted",
        cause: silent ? undefined : reason,
      });
}
