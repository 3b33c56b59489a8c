const steps = [
  ["second", 1000],
  ["minute", 60_000],
  ["hour", 3_600_000],
  ["day", 86_400_000],
  ["week", 7 * 86_400_000],
  ["month", 30 * 86_400_000],
  ["year", 365 * 86_400_000],
] as const;

/** A span of time for a person, in its largest whole unit: `3 minutes`. */
export function formatSpan(spanMs: number): string {
  let shown = "less than a second";
  for (const [unit, unitMs] of steps) {
    const count = Math.floor(spanMs / unitMs);
    if (count < 1) break;
    shown = `${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  return shown;
}

/** How long ago a moment was: `3 minutes ago`. A clock that was set back makes it `just now`. */
export function formatAgo(iso: string, nowMs: number): string {
  const spanMs = nowMs - Date.parse(iso);
  return spanMs < 1000 ? "just now" : `${formatSpan(spanMs)} ago`;
}
