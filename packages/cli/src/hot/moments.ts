/** Units of the spans of time that silk shows, in milliseconds: see `formatSpan`. */
const units = [1, 60, 3600, 86_400, 604_800, 2_592_000, 31_536_000].map(
  (seconds) => seconds * 1000,
);

/** A stretch of time of which all moments are shown with the same words. Moments are as `toISOString` writes them: they sort as text. */
export interface Stretch {
  /** The moment before it. */
  readonly after: string;
  readonly upTo: string;
  /** One of its moments. */
  readonly moment: string;
}

/** The stretches, oldest first, that hold the moments from `oldest` to `newest`, seen from now. */
export function stretchesOf(oldest: string, newest: string, nowMs: number): readonly Stretch[] {
  const longestMs = nowMs - Date.parse(oldest);
  const iso = (spanMs: number): string => new Date(nowMs - spanMs).toISOString();
  const found: Stretch[] = [];
  let fromMs = spanShownFor(nowMs - Date.parse(newest));
  while (fromMs <= longestMs) {
    const toMs = spanShownAfter(fromMs);
    const isLast = fromMs === -Infinity;
    // Nothing that is written as a moment sorts after a tilde.
    found.push({
      after: iso(toMs),
      upTo: isLast ? "~" : iso(fromMs),
      moment: iso(isLast ? 0 : fromMs),
    });
    fromMs = toMs;
  }
  return found.toReversed();
}

/** The shortest span with the same words as this one. */
function spanShownFor(spanMs: number): number {
  const unitMs = units.findLast((candidate) => candidate <= spanMs);
  return unitMs === undefined
    ? Number.isNaN(spanMs)
      ? NaN
      : -Infinity
    : Math.floor(spanMs / unitMs) * unitMs;
}

/** The shortest span with other words than those of this one and of all shorter ones. */
function spanShownAfter(spanMs: number): number {
  const at = units.findLastIndex((candidate) => candidate <= spanMs);
  const unitMs = units[at];
  if (unitMs === undefined) return units[0] as number;
  return Math.min((Math.floor(spanMs / unitMs) + 1) * unitMs, units[at + 1] ?? Infinity);
}

/**
 * An SQL expression: the literal of the stretch that a column's moment lies in, found by halving; NULL outside of them all.
 * @param stretches without gaps between them, as from {@link stretchesOf}
 * @param literals one for each stretch
 */
export function stretchLiteral(
  column: string,
  stretches: readonly Stretch[],
  literals: readonly string[],
): string {
  const search = (from: number, to: number): string => {
    if (from === to) return literals[from] ?? "NULL";
    const middle = Math.floor((from + to) / 2);
    return `CASE WHEN ${column} <= '${stretches[middle]?.upTo}' THEN ${search(from, middle)} ELSE ${search(middle + 1, to)} END`;
  };
  const [first] = stretches;
  const last = stretches.at(-1);
  if (first === undefined || last === undefined) return "NULL";
  return `CASE WHEN ${column} > '${first.after}' AND ${column} <= '${last.upTo}' THEN ${search(0, stretches.length - 1)} END`;
}
