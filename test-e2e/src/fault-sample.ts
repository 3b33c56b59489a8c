import { isLong } from "./long.ts";
import type { Target } from "./targets.ts";

/** What goes wrong at an effect: it fails as the operating system would, or the process is killed. */
export type FaultKind = "ENOSPC" | "EIO" | "EACCES" | "ETIMEDOUT" | "kill";

/** How an effect fails before it is done; a time-out comes after it. */
const failures = ["ENOSPC", "EIO", "EACCES"] as const;

/** How an effect goes wrong, in words for a test's title. */
export const faultWays = [
  "fails",
  "times out though it was done",
  "is the last one before a kill",
] as const;
export type FaultWay = (typeof faultWays)[number];

const kinds: Readonly<Record<FaultWay, (nth: number) => FaultKind>> = {
  fails: (nth) => failures[nth % 3] ?? "EIO",
  "times out though it was done": () => "ETIMEDOUT",
  "is the last one before a kill": () => "kill",
};

/** How many effects lie between two that go wrong in the same way. */
const steps: Readonly<Record<string, number>> = { "ch-sim": 3, "cloud-hypervisor": 9, qemu: 24 };

/** A fault at one effect of a verb; effects are counted from 1. */
export interface NthFault {
  readonly kind: FaultKind;
  readonly nth: number;
}

/**
 * Which of a verb's effects go wrong in this way. On ch-sim each effect goes wrong in one of the ways; real VMMs, of which most is done by the same code,
 * get a sample; and all of them go wrong in every way where SILK_TEST_LONG is 1.
 */
export function faultsOf(
  { name }: Pick<Target, "name">,
  way: FaultWay,
  effects: number,
): readonly NthFault[] {
  const step = isLong ? 1 : (steps[name] ?? 1);
  // The ways are spread over the step; a verb of few effects has one of them at its last.
  const first = Math.min(
    1 + Math.floor((faultWays.indexOf(way) * step) / faultWays.length),
    effects,
  );
  const faults: NthFault[] = [];
  for (let nth = first; nth <= effects; nth += step) faults.push({ kind: kinds[way](nth), nth });
  return faults;
}

/** How long all faults of one verb may take in one way. */
export const faultsMs: number = isLong ? 3_600_000 : 300_000;
