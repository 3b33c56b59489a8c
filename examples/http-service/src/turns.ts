/** What a service throws away work with, instead of letting it wait for ever. */
export class TooBusyError extends Error {}

/** At most so many at once; a few more may wait for their turn, in order. */
export class Turns {
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: { readonly atOnce: number; readonly mostWaiting: number }) {
    this.#atOnce = options.atOnce;
    this.#mostWaiting = options.mostWaiting;
  }

  /**
   * Runs work in its turn. Who gives up while waiting gives up the place, too.
   * @throws TooBusyError where too many wait already; the signal's reason
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#mostWaiting) throw new TooBusyError("too many requests");
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(resolve);
      await promise;
      signal.removeEventListener("abort", giveUp);
    }
    this.#running += 1;
  }
}
