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
 * An SQL expression: the literal of the stretch that a column's moment lies in; NULL outside of them all. It is found by halving the
 * time, not the number of stretches: the young ones are short, and hold few moments.
 * @param stretches without gaps between them, as from {@link stretchesOf}
 * @param literals one for each stretch
 */
export function stretchLiteral(
  column: string,
  stretches: readonly Stretch[],
  literals: readonly string[],
): string {
  const [first] = stretches;
  const last = stretches.at(-1);
  if (first === undefined || last === undefined) return "NULL";
  const ends = stretches.map(({ upTo }) => Date.parse(upTo));
  const search = (from: number, to: number, startMs: number): string => {
    if (from === to) return literals[from] ?? "NULL";
    const middleMs = (startMs + (ends[to - 1] as number)) / 2;
    const half = ends.findIndex((endMs, index) => index >= from && endMs >= middleMs);
    const until = Math.min(half, to - 1);
    const older = search(from, until, startMs);
    const younger = search(until + 1, to, ends[until] as number);
    return `CASE WHEN ${column} <= '${stretches[until]?.upTo}' THEN ${older} ELSE ${younger} END`;
  };
  const found = search(0, stretches.length - 1, Date.parse(first.after));
  return `CASE WHEN ${column} > '${first.after}' AND ${column} <= '${last.upTo}' THEN ${found} END`;
}
