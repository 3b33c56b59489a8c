import type { HostClock } from "@silkvm/core";
import { delay } from "../delay.ts";

export const clock: HostClock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  delay: (ms, options) => delay(ms, options?.signal),
};
