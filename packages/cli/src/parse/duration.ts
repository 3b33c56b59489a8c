import { usageError } from "../cli-error.ts";

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const partPattern = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
const wholePattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** The longest time that a timer of the runtime can wait. */
const longestMs = 2 ** 31 - 1;

/**
 * Reads a duration as a person types it: `500ms`, `30s`, `2m`, `1m30s`; a plain number is seconds.
 * @returns milliseconds, whole
 * @throws CliError of kind `invalid`
 */
export function parseDuration(text: string): number {
  const refuse = (why: string): never => {
    throw usageError(
      `${JSON.stringify(text)} is no duration: ${why}`,
      "Durations are 30 (seconds), 500ms, 30s, 2m, 1m30s, 1h.",
    );
  };
  let total: number;
  if (/^\d+(?:\.\d+)?$/.test(text)) total = Number(text) * 1000;
  else if (wholePattern.test(text)) {
    total = 0;
    for (const [, number, unit] of text.matchAll(partPattern))
      total += Number(number) * unitMs[unit as keyof typeof unitMs];
  } else return refuse("it is no number with an optional unit (ms, s, m, h, d)");
  if (total > longestMs) return refuse("it is longer than 24 days");
  return Math.round(total);
}
