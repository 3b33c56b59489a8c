import type { Case, Comparison, Measured, Timing } from "./suite.ts";

/**
 * Times the cases by turns, so that what else the machine does meanwhile hits them all alike; every other round goes the other way
 * round, so that none always follows the same one. The first round is not counted. A ratio is the median of the rounds' own ratios: what
 * slows down a whole round leaves it as it is.
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
  const peerTimes = times.get(peer) as number[];
  const lines = all.map((one) => {
    const own = times.get(one) as number[];
    const { name, aim, aimExtraMs } = one;
    return {
      ...timing(own),
      name,
      runs,
      ratio: median(own.map((ms, round) => ms / (peerTimes[round] as number))),
      minRatio: Math.min(...own) / Math.min(...peerTimes),
      extraMs: median(own.map((ms, round) => ms - (peerTimes[round] as number))),
      aim,
      aimExtraMs,
    };
  });
  return { suite, title, lines };
}

function timing(times: readonly number[]): Timing {
  return { minMs: Math.min(...times), medianMs: median(times), maxMs: Math.max(...times) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
