import type { HostClock } from "@silkvm/core";

/** Waits for something, but no longer than this. */
export async function orAfter(
  something: PromiseLike<unknown> | undefined,
  ms: number,
  clock: HostClock,
): Promise<void> {
  const patience = new AbortController();
  try {
    await Promise.race([something, clock.delay(ms, { signal: patience.signal })]);
  } finally {
    patience.abort();
  }
}
