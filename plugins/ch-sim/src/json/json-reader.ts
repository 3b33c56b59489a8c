import { type Content, describeContent } from "./content.ts";
import { parseFloat64 } from "./float.ts";
import { JsonError } from "./json-error.ts";

const MAX_DEPTH = 128;
const SPACE = new Set([0x20, 0x0a, 0x09, 0x0d]);
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;

/**
 * Reads JSON the way the real program's parser does: one pass, types checked while reading, so that the first fault wins and
 * carries the same words and the same position.
 */
export class JsonReader {
  readonly #bytes: Buffer;
  #index = 0;
  #depth = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The next byte that is not white space, without taking it; undefined at the end. */
  peek(): number | undefined {
    while (SPACE.has(this.#bytes[this.#index] ?? -1)) this.#index++;
    return this.#bytes[this.#index];
  }

  /** Takes one byte. */
  eat(): void {
    this.#index++;
  }

  /** An error at what was read last. */
  error(reason: string): JsonError {
    return this.#errorAt(reason, this.#index);
  }

  /** An error at what comes next. */
  peekError(reason: string): JsonError {
    return this.#errorAt(reason, Math.min(this.#bytes.length, this.#index + 1));
  }

  /** Gives an error without a position the present one. */
  fix(error: unknown): unknown {
    if (!(error instanceof JsonError) || error.line !== 0) return error;
    return this.error(error.reason);
  }

  /** Runs a step whose errors get their position here. */
  fixing<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      throw this.fix(error);
    }
  }

  /** The error for a value of a type that was not expected; takes scalars, as the real parser does. */
  invalidType(expecting: string): unknown {
    const next = this.peek();
    if (next === OPEN_LIST || next === OPEN_MAP) {
      return this.error(
        `invalid type: ${next === OPEN_LIST ? "sequence" : "map"}, expected ${expecting}`,
      );
    }
    const value = this.readContent();
    return this.error(`invalid type: ${describeContent(value)}, expected ${expecting}`);
  }

  /** Reads a list, one call of `element` for each entry, which stops early by returning false. */
  readList(element: () => boolean): void {
    this.#enter();
    this.eat();
    const failure = capture(() => {
      let first = true;
      while (this.#hasElement(first) && element()) first = false;
    });
    this.#depth--;
    const end = capture(() => this.#endList());
    if (failure !== undefined) throw failure;
    if (end !== undefined) throw end;
  }

  /**
   * Reads an object; `entry` reads the value of each key, `done` runs before the closing brace, `seen` is told of a key before
   * what follows it is looked at.
   */
  readMap(
    entry: (key: string) => void,
    done: () => void,
    seen: (key: string) => void = () => undefined,
  ): void {
    this.#enter();
    this.eat();
    const failure = capture(() => {
      let first = true;
      while (this.#hasKey(first)) {
        first = false;
        const key = this.readString();
        seen(key);
        this.#colon();
        entry(key);
      }
      done();
    });
    this.#depth--;
    const end = capture(() => this.#endMap());
    if (failure !== undefined) throw failure;
    if (end !== undefined) throw end;
  }

  /** Any value. */
  readContent(): Content {
    const next = this.peek();
    if (next === undefined) throw this.peekError("EOF while parsing a value");
    switch (next) {
      case 0x6e:
        this.#word("null");
        return null;
      case 0x74:
        this.#word("true");
        return true;
      case 0x66:
        this.#word("false");
        return false;
      case QUOTE:
        return this.readString();
      case OPEN_LIST: {
        const list: Content[] = [];
        this.readList(() => list.push(this.readContent()) > 0);
        return list;
      }
      case OPEN_MAP: {
        const entries: (readonly [string, Content])[] = [];
        this.readMap(
          (key) => entries.push([key, this.readContent()]),
          () => undefined,
        );
        return { entries };
      }
      default:
        if (next === 0x2d || isDigit(next)) return this.readNumber();
        throw this.peekError("expected value");
    }
  }

  /** Takes `null` if it comes next. */
  takeNull(): boolean {
    if (this.peek() !== 0x6e) return false;
    this.#word("null");
    return true;
  }

  /** A number; the caller has seen that one starts here. */
  readNumber(): bigint | { readonly float: number } {
    const start = this.#index;
    const negative = this.#bytes[this.#index] === 0x2d;
    if (negative) this.eat();
    const first = this.#bytes[this.#index];
    if (first === undefined) throw this.error("EOF while parsing a value");
    this.eat();
    if (!isDigit(first)) throw this.error("invalid number");
    if (first === 0x30 && isDigit(this.#bytes[this.#index])) throw this.peekError("invalid number");
    this.#digits();
    const integer = this.#fraction() && this.#exponent();
    const text = this.#bytes.toString("latin1", start, this.#index);
    if (!integer) {
      const float = parseFloat64(text);
      if (!Number.isFinite(float)) throw this.error("number out of range");
      return { float };
    }
    const value = BigInt(text);
    const fits = negative ? value < 0n && value >= -(2n ** 63n) : value < 2n ** 64n;
    return fits ? value : { float: parseFloat64(text) };
  }

  /** A string; the caller has seen that one starts here. */
  readString(): string {
    this.eat();
    const parts: string[] = [];
    let start = this.#index;
    for (;;) {
      const byte = this.#bytes[this.#index];
      if (byte === undefined) throw this.error("EOF while parsing a string");
      if (byte === QUOTE) {
        parts.push(this.#text(start, this.#index));
        this.eat();
        return parts.join("");
      }
      this.eat();
      if (byte < 0x20)
        throw this.error("control character (\\u0000-\\u001F) found while parsing a string");
      if (byte === 0x5c) {
        parts.push(this.#text(start, this.#index - 1), this.#escape());
        start = this.#index;
      }
    }
  }

  /** The text must end here. */
  end(): void {
    if (this.peek() !== undefined) throw this.peekError("trailing characters");
  }

  #text(start: number, end: number): string {
    const slice = this.#bytes.subarray(start, end);
    const text = slice.toString("utf8");
    if (text.includes("\uFFFD") && !Buffer.from(text, "utf8").equals(slice))
      throw this.error("invalid unicode code point");
    return text;
  }

  #escape(): string {
    const byte = this.#bytes[this.#index];
    if (byte === undefined) throw this.error("EOF while parsing a string");
    this.eat();
    const simple: Readonly<Record<string, string>> = {
      '"': '"',
      "\\": "\\",
      "/": "/",
      b: "\b",
      f: "\f",
      n: "\n",
      r: "\r",
      t: "\t",
    };
    const letter = String.fromCharCode(byte);
    const plain = simple[letter];
    if (plain !== undefined) return plain;
    if (letter !== "u") throw this.error("invalid escape");
    const high = this.#hex();
    if (high >= 0xdc00 && high <= 0xdfff) throw this.error("lone leading surrogate in hex escape");
    if (high < 0xd800 || high > 0xdbff) return String.fromCharCode(high);
    if (this.#bytes[this.#index] !== 0x5c || this.#bytes[this.#index + 1] !== 0x75) {
      this.eat();
      throw this.error("unexpected end of hex escape");
    }
    this.#index += 2;
    const low = this.#hex();
    if (low < 0xdc00 || low > 0xdfff) throw this.error("lone leading surrogate in hex escape");
    return String.fromCharCode(high, low);
  }

  #hex(): number {
    const text = this.#bytes.toString("latin1", this.#index, this.#index + 4);
    if (text.length < 4) {
      this.#index = this.#bytes.length;
      throw this.error("EOF while parsing a string");
    }
    this.#index += 4;
    if (!/^[0-9a-fA-F]{4}$/.test(text)) throw this.error("invalid escape");
    return Number.parseInt(text, 16);
  }

  #digits(): number {
    const start = this.#index;
    while (isDigit(this.#bytes[this.#index])) this.eat();
    return this.#index - start;
  }

  #fraction(): boolean {
    if (this.#bytes[this.#index] !== 0x2e) return true;
    this.eat();
    if (this.#digits() === 0) {
      throw this.peekError(
        this.#bytes[this.#index] === undefined ? "EOF while parsing a value" : "invalid number",
      );
    }
    this.#exponent();
    return false;
  }

  #exponent(): boolean {
    const byte = this.#bytes[this.#index];
    if (byte !== 0x65 && byte !== 0x45) return true;
    this.eat();
    const sign = this.#bytes[this.#index];
    if (sign === 0x2b || sign === 0x2d) this.eat();
    if (this.#digits() === 0) {
      if (this.#bytes[this.#index] === undefined) throw this.error("EOF while parsing a value");
      this.eat();
      throw this.error("invalid number");
    }
    return false;
  }

  #word(word: string): void {
    this.eat();
    for (const expected of word.slice(1)) {
      const byte = this.#bytes[this.#index];
      if (byte === undefined) throw this.error("EOF while parsing a value");
      this.eat();
      if (String.fromCharCode(byte) !== expected) throw this.error("expected ident");
    }
  }

  #colon(): void {
    const next = this.peek();
    if (next === undefined) throw this.peekError("EOF while parsing an object");
    if (next !== COLON) throw this.peekError("expected `:`");
    this.eat();
  }

  #hasElement(first: boolean): boolean {
    const next = this.peek();
    if (next === undefined) throw this.peekError("EOF while parsing a list");
    if (next === CLOSE_LIST) return false;
    if (first) return true;
    if (next !== COMMA) throw this.peekError("expected `,` or `]`");
    this.eat();
    const after = this.peek();
    if (after === undefined) throw this.peekError("EOF while parsing a value");
    if (after === CLOSE_LIST) throw this.peekError("trailing comma");
    return true;
  }

  #hasKey(first: boolean): boolean {
    const next = this.peek();
    if (next === undefined) throw this.peekError("EOF while parsing an object");
    if (next === CLOSE_MAP) return false;
    if (first) {
      if (next !== QUOTE) throw this.peekError("key must be a string");
      return true;
    }
    if (next !== COMMA) throw this.peekError("expected `,` or `}`");
    this.eat();
    const after = this.peek();
    if (after === QUOTE) return true;
    if (after === undefined) throw this.peekError("EOF while parsing a value");
    throw this.peekError(after === CLOSE_MAP ? "trailing comma" : "key must be a string");
  }

  #endList(): void {
    const next = this.peek();
    if (next === undefined) throw this.peekError("EOF while parsing a list");
    if (next === CLOSE_LIST) {
      this.eat();
      return;
    }
    if (next !== COMMA) throw this.peekError("trailing characters");
    this.eat();
    throw this.peekError(this.peek() === CLOSE_LIST ? "trailing comma" : "trailing characters");
  }

  #endMap(): void {
    const next = this.peek();
    if (next === undefined) throw this.peekError("EOF while parsing an object");
    if (next !== CLOSE_MAP)
      throw this.peekError(next === COMMA ? "trailing comma" : "trailing characters");
    this.eat();
  }

  #enter(): void {
    if (++this.#depth >= MAX_DEPTH) throw this.peekError("recursion limit exceeded");
  }

  #errorAt(reason: string, index: number): JsonError {
    const before = this.#bytes.subarray(0, index);
    const start = before.lastIndexOf(0x0a) + 1;
    let line = 1;
    for (const byte of before.subarray(0, start)) if (byte === 0x0a) line++;
    return new JsonError(reason, line, index - start);
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function capture(step: () => void): unknown {
  try {
    step();
    return undefined;
  } catch (error) {
    return error;
  }
}
