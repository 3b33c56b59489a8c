import { setTimeout } from "node:timers/promises";

/** Resolves after a time; rejects with the signal's own reason when it aborts. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
