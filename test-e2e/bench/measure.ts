import type { Case, Comparison, Measured, Timing } from "./suite.ts";

/**
 * Times the cases by turns, so that what else the machine does meanwhile hits them all alike; every other round goes the other way
 * round, so that none always follows the same one. The first round is not counted.
 */
export async function measure(
  suite: string,
  comparison: Comparison,
  effort: number,
): Promise<Measured> {
  const { peer, cases, title } = comparison;
  const runs = Math.max(3, Math.round(comparison.runs * effort));
  const all = [peer, ...cases];
  const times = new Map<Case, number[]>(all.map((one) => [one, []]));
  for (const one of all) await one.run();
  for (let round = 0; round < runs; round += 1)
    for (const one of round % 2 === 0 ? all : all.toReversed())
      times.get(one)?.push(await one.run());
  const floor = timing(times.get(peer) as number[]);
  const lines = all.map((one) => {
    const own = timing(times.get(one) as number[]);
    const { name, aim, aimExtraMs } = one;
    return {
      name,
      runs,
      ...own,
      ratio: own.medianMs / floor.medianMs,
      minRatio: own.minMs / floor.minMs,
      aim,
      aimExtraMs,
    };
  });
  return { suite, title, lines };
}

function timing(times: readonly number[]): Timing {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  const medianMs = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  return { minMs: sorted[0] as number, medianMs, maxMs: sorted.at(-1) as number };
}
