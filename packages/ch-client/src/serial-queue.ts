/** Runs tasks one after the other, in the order in which they came. */
export class SerialQueue {
  #tail: Promise<void> = Promise.resolve();

  /** Runs the task when its turn comes. A signal that aborts before then takes it out of the queue: it is never run, and `undefined` comes back. */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T | undefined> {
    const turn = this.#tail;
    const done = Promise.withResolvers<void>();
    this.#tail = turn.then(() => done.promise);
    try {
      await settledOrAborted(turn, signal);
      return signal.aborted ? undefined : await task();
    } finally {
      done.resolve();
    }
  }
}

function settledOrAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", stop, { once: true });
    void turn.then(stop);
  });
}
