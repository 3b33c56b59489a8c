import { usageError } from "../cli-error.ts";

/**
 * Reads `key=value` once for each `--label`.
 * @throws CliError of kind `invalid`
 */
export function parseLabels(texts: readonly string[]): Readonly<Record<string, string>> {
  const labels = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    if (equals < 1)
      throw usageError(`--label: ${JSON.stringify(text)} is no label`, "Write --label key=value");
    const key = text.slice(0, equals);
    if (labels.has(key)) throw usageError(`--label: "${key}" is given twice`);
    labels.set(key, text.slice(equals + 1));
  }
  return Object.fromEntries(labels);
}
