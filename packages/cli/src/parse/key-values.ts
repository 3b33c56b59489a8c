import { usageError } from "../cli-error.ts";
import { didYouMean } from "../failure/suggest.ts";

/** Splits at commas; a comma that belongs to a value is written twice. */
export function splitCommas(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] as string;
    if (character === "," && text[index + 1] === ",") index += 1;
    else if (character === ",") {
      parts.push(part);
      part = "";
      continue;
    }
    part += character;
  }
  return [...parts, part];
}

/**
 * Reads `key=value,key=value,flag`.
 * @throws CliError of kind `invalid`, which names the flag: an unknown key, one given twice, an empty part
 */
export function parseKeyValues(
  flag: string,
  parts: readonly string[],
  known: readonly string[],
): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  for (const part of parts) {
    const equals = part.indexOf("=");
    const key = equals === -1 ? part : part.slice(0, equals);
    if (!known.includes(key))
      throw usageError(
        key === "" ? `${flag}: there is an empty part` : `${flag}: there is no key "${key}"`,
        `${didYouMean(key, known) ?? ""}The keys are ${known.join(", ")}; a comma in a value is written twice.`,
      );
    if (found.has(key)) throw usageError(`${flag}: "${key}" is given twice`);
    found.set(key, equals === -1 ? undefined : part.slice(equals + 1));
  }
  return found;
}
