import { parseJson } from "./json.ts";

/**
 * The messages in the body of an error answer, outermost first. The API answers with a JSON array of strings; what the HTTP
 * server below it refuses is `{ "error": "…` with a raw line break inside the string, which is no JSON. Anything else is taken
 * as one message, and an empty body as none.
 */
export function errorChain(body: string): readonly string[] {
  const text = body.trim();
  if (text === "") return [];
  const parsed = tryParse(text) ?? tryParse(escapeLineBreaks(text));
  if (Array.isArray(parsed)) return parsed.map(asMessage);
  if (typeof parsed === "object" && parsed !== null && "error" in parsed)
    return [asMessage(parsed.error)];
  return [typeof parsed === "string" ? parsed : (unfinished(text) ?? text)];
}

function tryParse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeLineBreaks(text: string): string {
  return text.replaceAll(/[\n\r\t]/g, (character) => escapes[character] ?? character);
}

/** The message of an `{ "error": "…" }` that cannot be parsed at all: one that is cut off, or has quotes inside. */
function unfinished(text: string): string | undefined {
  return /^\{\s*"error"\s*:\s*"(?<message>[\s\S]*?)"?\s*\}?$/.exec(text)?.groups?.["message"];
}

function asMessage(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
