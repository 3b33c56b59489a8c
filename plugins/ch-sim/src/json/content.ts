/** An unsigned 64-bit integer: a plain number as long as that is exact, a bigint beyond. */
export type U64 = number | bigint;

/** A JSON value that was read before its type was known. Integers are bigints, so that none of them loses a digit. */
export type Content =
  | null
  | boolean
  | bigint
  | FloatContent
  | string
  | readonly Content[]
  | ContentMap;

/** A number with a fraction, an exponent, or beyond 64 bits. */
export interface FloatContent {
  readonly float: number;
}

/** An object, in the order of its keys; a key may be there twice. */
export interface ContentMap {
  readonly entries: readonly (readonly [string, Content])[];
}

/** What a value is, as the real program's parser names it in its messages. */
export function describeContent(content: Content): string {
  if (content === null) return "null";
  if (typeof content === "boolean") return `boolean \`${content}\``;
  if (typeof content === "bigint") return `integer \`${content}\``;
  if (typeof content === "string") return `string ${quote(content)}`;
  if (isFloat(content)) return `floating point \`${formatFloat(content.float)}\``;
  return isMap(content) ? "map" : "sequence";
}

/** Whether a content is a float. */
export function isFloat(content: Content): content is FloatContent {
  return typeof content === "object" && content !== null && "float" in content;
}

/** Whether a content is an object. */
export function isMap(content: Content): content is ContentMap {
  return (
    typeof content === "object" &&
    content !== null &&
    "entries" in content &&
    !Array.isArray(content)
  );
}

/** A bigint as a number where that is exact. */
export function toU64(value: bigint): U64 {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** A string in double quotes with the escapes that the real program's debug output uses. */
export function quote(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === '"' || character === "\\") out += `\\${character}`;
    else if (character === "\n") out += "\\n";
    else if (character === "\r") out += "\\r";
    else if (character === "\t") out += "\\t";
    else if (code === 0) out += "\\0";
    else if (code < 0x20 || code === 0x7f) out += `\\u{${code.toString(16)}}`;
    else out += character;
  }
  return `${out}"`;
}

/** A float as the real program writes it: plain between 1e-5 and 1e16, with an exponent beyond. */
function formatFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const size = Math.abs(value);
  if (size < 1e-5 || size >= 1e16) return value.toExponential();
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
