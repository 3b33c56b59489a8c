import { setTimeout } from "node:timers/promises";

/** The longest time that a timer of Node's can run; a longer one would end at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Resolves after a time, however long, and never before; rejects with the signal's own reason when it aborts. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const endMs = performance.now() + ms;
  try {
    // Node counts a timer from when its event loop last looked at the clock: it may end early by all that was done since.
    for (let leftMs = ms; leftMs > 0; leftMs = endMs - performance.now()) {
      await setTimeout(
        Math.min(Math.ceil(leftMs), longestTimerMs),
        undefined,
        signal === undefined ? {} : { signal },
      );
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
