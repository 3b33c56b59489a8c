import type { Host } from "../host.ts";

/** Tells how long it is since it was started, in whole milliseconds. */
export function stopwatch({ clock }: Pick<Host, "clock">): () => number {
  const began = clock.monotonicMs();
  return () => Math.round(clock.monotonicMs() - began);
}
