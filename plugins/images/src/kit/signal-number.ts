import { constants } from "node:os";

/** Of a kernel with the usual numbers: the first one that no library keeps for itself. */
const firstRealtimeSignal = 34;
const lastSignal = 64;

/** The number of `SIGTERM`, `SIGRTMIN+3` or `15`; undefined for what is no signal. */
export function signalNumber(name: string): number | undefined {
  const [, realtime = "0"] = /^SIGRTMIN(?:\+(\d+))?$/.exec(name) ?? [];
  const number = name.startsWith("SIGRTMIN")
    ? firstRealtimeSignal + Number(realtime)
    : /^\d+$/.test(name)
      ? Number(name)
      : constants.signals[name as NodeJS.Signals];
  return number !== undefined && number >= 1 && number <= lastSignal ? number : undefined;
}
