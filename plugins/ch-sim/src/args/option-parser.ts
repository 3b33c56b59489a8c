import { isIP } from "node:net";

import { VmmError } from "../errors.ts";
import { quote, toU64, type U64 } from "../json/content.ts";

function unknownOption(name: string): VmmError {
  return new VmmError("UnknownOption", `unknown option: ${name}`, undefined, `(${quote(name)})`);
}

function invalidSyntax(text: string): VmmError {
  return new VmmError("InvalidSyntax", `invalid syntax: ${text}`, undefined, `(${quote(text)})`);
}

/** The error for a value that does not fit its option. */
export function conversionError(option: string, value: string): VmmError {
  const message = `unable to convert ${value} for ${option}`;
  return new VmmError("Conversion", message, undefined, `(${quote(option)}, ${quote(value)})`);
}

/** The error for a value that makes no sense beside the others. */
export function invalidValue(text: string): VmmError {
  return new VmmError("InvalidValue", `invalid value: ${text}`, undefined, `(${quote(text)})`);
}

/** Splits at commas that are neither in quotes nor in brackets. */
export function splitCommas(text: string): string[] {
  const parts: string[] = [];
  let current = "";
  let brackets = 0;
  let quoted = false;
  for (const character of text.trim()) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && character === "[") brackets++;
    else if (!quoted && character === "]") {
      if (brackets-- < 1) throw invalidSyntax(text);
    } else if (!quoted && character === "," && brackets === 0) {
      parts.push(current);
      current = "";
      continue;
    }
    current += character;
  }
  parts.push(current);
  if (quoted || brackets !== 0) throw invalidSyntax(text);
  return parts;
}

function dequote(text: string): string {
  let out = "";
  let previous = "";
  let quoted = false;
  for (const character of text) {
    if (character === '"') {
      if (previous === '"' && !quoted) out += '"';
      quoted = !quoted;
    } else {
      out += character;
    }
    previous = character;
  }
  return out;
}

/** A reader of one value: gives undefined where the text does not fit. */
export type Convert<T> = (text: string) => T | undefined;

/** The `key=value,…` text of one argument, read. `wrap` makes each error one of the argument's own. */
export class Options {
  readonly #values = new Map<string, string>();
  readonly #wrap: (error: VmmError) => VmmError;
  readonly text: string;

  constructor(
    text: string,
    keys: readonly string[],
    wrap: (error: VmmError) => VmmError,
    {
      valueless = [],
      subset = false,
    }: { readonly valueless?: readonly string[]; readonly subset?: boolean } = {},
  ) {
    this.#wrap = wrap;
    this.text = text;
    if (text.trim() === "") return;
    this.#guard(() => {
      for (const option of splitCommas(text)) {
        const equals = option.indexOf("=");
        const key = equals < 0 ? option : option.slice(0, equals);
        if (valueless.includes(key)) this.#values.set(key, "");
        else if (keys.includes(key)) {
          if (equals < 0) throw invalidSyntax(option);
          this.#values.set(key, option.slice(equals + 1).trim());
        } else if (!subset) throw unknownOption(key);
      }
    });
  }

  /** Whether a key was given, with whatever value. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** The text of a key without its quotes; undefined where it is missing or empty. */
  get(key: string): string | undefined {
    const value = this.#values.get(key);
    return value === undefined || value === "" ? undefined : dequote(value);
  }

  /** The value of a key, converted; undefined where it is missing or empty. */
  convert<T>(key: string, convert: Convert<T>): T | undefined {
    const value = this.#values.get(key);
    if (value === undefined || value === "") return undefined;
    const converted = convert(value);
    if (converted === undefined) throw this.#wrap(conversionError(key, value));
    return converted;
  }

  /** A switch. */
  toggle(key: string, byDefault = false): boolean {
    return this.convert(key, toggle) ?? byDefault;
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      throw error instanceof VmmError ? this.#wrap(error) : error;
    }
  }
}

const toggle: Convert<boolean> = (text) => {
  const word = text.toLowerCase();
  if (word === "on" || word === "true") return true;
  return word === "off" || word === "false" ? false : undefined;
};

function unsigned(bits: bigint): Convert<U64> {
  return (text) => {
    const plain = dequote(text);
    if (!/^\+?[0-9]+$/.test(plain)) return undefined;
    const value = BigInt(plain.replace("+", ""));
    return value < 2n ** bits ? toU64(value) : undefined;
  };
}

export const asU8 = unsigned(8n) as Convert<number>;
export const asU16 = unsigned(16n) as Convert<number>;
export const asU32 = unsigned(32n) as Convert<number>;
export const asU64: Convert<U64> = unsigned(64n);

export const asI32: Convert<number> = (text) => {
  const plain = dequote(text);
  const value = Number(plain);
  return /^[+-]?[0-9]+$/.test(plain) && Math.abs(value) < 2 ** 31 ? value : undefined;
};

export const asString: Convert<string> = (text) => dequote(text);

export const asIp: Convert<string> = (text) =>
  isIP(dequote(text)) === 0 ? undefined : dequote(text);

/** One of a list of words, whatever their case. */
export function asWord<T>(words: Readonly<Record<string, T>>): Convert<T> {
  return (text) => words[dequote(text).toLowerCase()];
}

/** A size with an optional K, M or G. */
export const asBytes: Convert<U64> = (text) => {
  const plain = dequote(text).trim();
  const shift = { K: 10n, M: 20n, G: 30n }[plain.at(-1) ?? ""] ?? 0n;
  const digits = plain.replace(/[KMG]+$/, "");
  if (!/^\+?[0-9]+$/.test(digits)) return undefined;
  const value = BigInt(digits.replace("+", ""));
  return value < 2n ** 64n ? toU64(BigInt.asUintN(64, value << shift)) : undefined;
};

/** A list of integers and ranges: `[0,2-4]`. */
export const asIntegers: Convert<U64[]> = (text) => {
  const result: U64[] = [];
  for (const range of text
    .trim()
    .replace(/^[[\]]+|[[\]]+$/g, "")
    .split(",")) {
    const ends = range.split("-").map(asU64);
    const [first, last = first, ...more] = ends;
    if (first === undefined || last === undefined || more.length > 0) return undefined;
    if (ends.length === 2 && first >= last) return undefined;
    for (let value = BigInt(first); value <= BigInt(last); value++) result.push(toU64(value));
  }
  return result;
};

/** A list of strings: `[a,b]`. */
export const asStrings: Convert<string[]> = (text) => {
  const body = text.trim().replace(/^[[\]]+|[[\]]+$/g, "");
  return splitCommas(body).map(dequote);
};

/** A list of pairs: `[a@b,c@d]`. */
export function asPairs<A, B>(first: Convert<A>, second: Convert<B>): Convert<(readonly [A, B])[]> {
  return (text) => {
    const body = /^\[(.*)\]$/s.exec(text.trim())?.[1];
    if (body === undefined) return undefined;
    const result: (readonly [A, B])[] = [];
    for (const pair of splitCommas(body)) {
      const at = pair.indexOf("@");
      const left = at < 0 ? undefined : first(pair.slice(0, at));
      const right = at < 0 ? undefined : second(pair.slice(at + 1));
      if (left === undefined || right === undefined) return undefined;
      result.push([left, right]);
    }
    return result;
  };
}
