import { CliError } from "./cli-error.ts";
import { interruptSignal } from "./interrupt.ts";

/**
 * The `--timeout` of a command. Its clock starts with the first call that it bounds: what the program takes to load is not the
 * user's affair.
 */
export class Deadline {
  readonly timeoutMs: number | undefined;
  #startedAt: number | undefined;

  constructor(timeoutMs: number | undefined) {
    this.timeoutMs = timeoutMs;
  }

  /** What is left for the next call. */
  remainingMs(): number | undefined {
    if (this.timeoutMs === undefined) return undefined;
    if (this.#startedAt === undefined) {
      this.#startedAt = performance.now();
      return this.timeoutMs;
    }
    return Math.max(1, Math.round(this.timeoutMs - (performance.now() - this.#startedAt)));
  }

  /**
   * Reads a stream until it ends, the user interrupts, the reader of stdout goes away, or the deadline passes.
   * @throws CliError `TIMED_OUT`; `ABORTED`
   */
  async follow(
    doing: string,
    run: (signal: AbortSignal) => Promise<void>,
    others: readonly AbortSignal[],
  ): Promise<void> {
    const interrupt = interruptSignal();
    const remainingMs = this.remainingMs();
    const deadline = remainingMs === undefined ? undefined : AbortSignal.timeout(remainingMs);
    const signals = [interrupt, ...others, ...(deadline === undefined ? [] : [deadline])];
    try {
      await run(AbortSignal.any(signals));
    } catch (error) {
      if (!signals.some(({ aborted }) => aborted)) throw error;
    }
    if (interrupt.aborted)
      throw new CliError(`${doing}: aborted`, { code: "ABORTED", kind: "aborted" });
    if (deadline?.aborted === true)
      throw new CliError(`${doing}: not done within ${this.timeoutMs} ms`, {
        code: "TIMED_OUT",
        kind: "timeout",
        hint: "Allow more time with --timeout.",
      });
  }
}
