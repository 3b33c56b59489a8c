import { ChAbortError, ChTimeoutError, type ChErrorContext } from "./errors.ts";

export interface DeadlineOptions {
  /** Ends the call early; its reason becomes the `cause` of a ChAbortError. */
  readonly signal?: AbortSignal | undefined;
  /** The time that the call may take, in milliseconds; 0 or Infinity for no limit. When it has passed: ChTimeoutError. */
  readonly timeoutMs?: number | undefined;
}

/** Timers of Node go up to here, and fire at once beyond. */
const longestTimerMs = 2 ** 31 - 1;

/** The caller's signal and the call's deadline as one signal that remembers which of the two it was. */
export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  readonly #context: ChErrorContext;
  readonly #callerSignal: AbortSignal | undefined;
  /** Infinity for no limit. */
  readonly timeoutMs: number;
  readonly #controller = new AbortController();
  readonly #startMs = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onCallerAbort = (): void => this.#controller.abort(this.#callerSignal?.reason);

  constructor(context: ChErrorContext, { signal, timeoutMs = 0 }: DeadlineOptions) {
    if (Number.isNaN(timeoutMs) || timeoutMs < 0)
      throw new RangeError(`timeoutMs must be 0 or more, not ${timeoutMs}`);
    this.#context = context;
    this.#callerSignal = signal;
    this.timeoutMs = timeoutMs === 0 ? Infinity : timeoutMs;
    this.signal = this.#controller.signal;
    if (signal?.aborted === true) this.#onCallerAbort();
    signal?.addEventListener("abort", this.#onCallerAbort, { once: true });
    if (this.timeoutMs === Infinity) return;
    this.#timer = setTimeout(
      () => this.#controller.abort(new Error("deadline")),
      Math.min(this.timeoutMs, longestTimerMs),
    );
  }

  /** Milliseconds since the start. */
  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  /** What to throw when the signal has ended the work; undefined while it has not. */
  failure(how: {
    readonly sent: boolean;
    readonly message?: string;
    readonly cause?: unknown;
  }): ChAbortError | ChTimeoutError | undefined {
    if (!this.signal.aborted) return undefined;
    return this.#callerSignal?.aborted === true
      ? new ChAbortError(this.#context, { reason: this.#callerSignal.reason, sent: how.sent })
      : new ChTimeoutError(this.#context, { ...how, timeoutMs: this.timeoutMs });
  }

  /** The work, or a rejection a moment after the signal has ended it, for work that does not heed the signal. */
  async bound<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => void setImmediate(() => reject(this.signal.reason));
    this.signal.addEventListener("abort", giveUp, { once: true });
    try {
      return await Promise.race([work, promise]);
    } finally {
      this.signal.removeEventListener("abort", giveUp);
      promise.catch(() => undefined);
    }
  }

  /** Resolves after a time, or as soon as the signal ends the work. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        this.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.signal.addEventListener("abort", done, { once: true });
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#callerSignal?.removeEventListener("abort", this.#onCallerAbort);
  }
}

/** How long to wait before looking again: an eighth of the time waited so far, so that what comes soon is seen at once and what takes long costs little. */
export function pollDelayMs(elapsedMs: number): number {
  return Math.min(50, Math.max(1, elapsedMs / 8));
}
