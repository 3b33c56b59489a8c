import { setTimeout } from "node:timers/promises";

/** The longest time that a timer of Node's can run; a longer one would end at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Resolves after a time, however long; rejects with the signal's own reason when it aborts. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  try {
    for (let leftMs = ms; leftMs > 0; leftMs -= longestTimerMs) {
      await setTimeout(
        Math.min(leftMs, longestTimerMs),
        undefined,
        signal === undefined ? {} : { signal },
      );
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
