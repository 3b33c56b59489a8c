/** What `JSON` has in Node 24 and the type library does not know yet. */
interface SourceTextJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  stringify(
    value: unknown,
    replacer: (key: string, value: unknown) => unknown,
    space?: number,
  ): string | undefined;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}

const sourceTextJson = JSON as unknown as SourceTextJson;

const integer = /^-?(?:0|[1-9]\d*)$/;
/** From here on JavaScript writes integers in exponent form, which is exact for a double. */
const firstExponentForm = 1e21;

/** How JSON is read. */
export interface ParseJsonOptions {
  /**
   * Keep every number as it is written: one that JavaScript would write differently (`1.0`, `1e3`, `-0`, a fraction of
   * more digits than a double has, `1e400`) becomes an opaque value that only {@link stringifyJson} can write back.
   * For files that are rewritten and must change in one place only.
   */
  readonly exact?: boolean | undefined;
}

/**
 * Parses JSON without losing digits of integers: one beyond 2^53 - 1 (either sign) becomes a bigint, a smaller one stays a number.
 * Numbers with a fraction or an exponent are numbers. Of a key that occurs twice the last one counts, as in `JSON.parse`.
 * @throws SyntaxError for what is not JSON; RangeError for a number beyond every double (`1e400`), unless `exact`.
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): unknown {
  const exact = options.exact === true;
  return sourceTextJson.parse(text, (_key, value, { source }) => {
    if (typeof value !== "number" || source === undefined) return value;
    if (!Object.is(value, -0) && integer.test(source))
      return Number.isSafeInteger(value) ? value : BigInt(source);
    if (exact) return writtenAs(value) === source ? value : sourceTextJson.rawJSON(source);
    if (!Number.isFinite(value))
      throw new RangeError(`The number ${source.slice(0, 40)} in the JSON text is too large`);
    return value;
  });
}

/**
 * Writes JSON that keeps every digit: bigints as integers, integral numbers beyond 2^53 with their exact digits, what
 * {@link parseJson} kept opaque as it was. `-0` is written `0`: the VMM refuses a negative zero where it wants an integer.
 * @param space Spaces of indentation; none and no line breaks by default.
 * @throws TypeError for NaN, infinities and a value that JSON has no form for, which `JSON.stringify` would write as null or not at all.
 */
export function stringifyJson(value: unknown, space?: number): string {
  const text = sourceTextJson.stringify(value, writable, space);
  if (text === undefined) throw new TypeError(`A ${typeof value} cannot be written as JSON`);
  return text;
}

/** Whether a value of a parsed document is a number that was kept as it is written ({@link ParseJsonOptions.exact}). */
export function isOpaqueNumber(value: unknown): boolean {
  return sourceTextJson.isRawJSON(value);
}

function writable(key: string, value: unknown): unknown {
  if (typeof value === "bigint") return sourceTextJson.rawJSON(value.toString());
  if (typeof value !== "number") return value;
  if (!Number.isFinite(value))
    throw new TypeError(`${value} (at ${JSON.stringify(key)}) cannot be written as JSON`);
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? sourceTextJson.rawJSON(writtenAs(value))
    : value;
}

function writtenAs(value: number): string {
  const exactDigits =
    Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < firstExponentForm;
  return exactDigits ? BigInt(value).toString() : JSON.stringify(value);
}
