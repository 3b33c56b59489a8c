import { type Content, describeContent, isMap, toU64, type U64 } from "./content.ts";
import { JsonError } from "./json-error.ts";
import { JsonReader } from "./json-reader.ts";

/** How one type is read: straight from the text, or from a value that had to be kept until its owner was known. */
export interface Schema<T> {
  /** What the messages call the type. */
  readonly expecting: string;
  read(reader: JsonReader): T;
  convert(content: Content): T;
  /** Present where a missing field is no error: what it then is. */
  readonly missing?: () => T;
  /** The same value with its keys in the order of the type's fields; types without keys have none. */
  arrange?(value: T): T;
}

/** Reads a whole text. Throws a JsonError with its position. */
export function parseJson<T>(schema: Schema<T>, bytes: Buffer): T {
  const reader = new JsonReader(bytes);
  const value = schema.read(reader);
  reader.end();
  return value;
}

function invalid(content: Content, expecting: string): JsonError {
  return new JsonError(`invalid type: ${describeContent(content)}, expected ${expecting}`);
}

/** An integer type by its name and its limits. */
export function integer(name: string, minimum: bigint, maximum: bigint): Schema<U64> {
  const convert = (content: Content): U64 => {
    if (typeof content !== "bigint") throw invalid(content, name);
    if (content < minimum || content > maximum) {
      throw new JsonError(`invalid value: ${describeContent(content)}, expected ${name}`);
    }
    return content < 0n ? Number(content) : toU64(content);
  };
  return {
    expecting: name,
    convert,
    read(reader) {
      const next = reader.peek();
      if (next === undefined) throw reader.peekError("EOF while parsing a value");
      if (next !== 0x2d && (next < 0x30 || next > 0x39)) throw reader.invalidType(name);
      return reader.fixing(() => convert(reader.readNumber()));
    },
  };
}

function small(name: string, bits: bigint): Schema<number> {
  return integer(name, 0n, 2n ** bits - 1n) as Schema<number>;
}

export const u8: Schema<number> = small("u8", 8n);
export const u16: Schema<number> = small("u16", 16n);
export const u32: Schema<number> = small("u32", 32n);
export const u64: Schema<U64> = integer("u64", 0n, 2n ** 64n - 1n);
export const usize: Schema<U64> = integer("usize", 0n, 2n ** 64n - 1n);
export const i32 = integer("i32", -(2n ** 31n), 2n ** 31n - 1n) as Schema<number>;

/** A boolean. */
export const bool: Schema<boolean> = {
  expecting: "a boolean",
  convert(content) {
    if (typeof content !== "boolean") throw invalid(content, this.expecting);
    return content;
  },
  read(reader) {
    const next = reader.peek();
    if (next === undefined) throw reader.peekError("EOF while parsing a value");
    if (next !== 0x74 && next !== 0x66) throw reader.invalidType(this.expecting);
    return reader.readContent() as boolean;
  },
};

/** A string, checked and changed by `parse`, which throws an Error with the reason. */
export function text(
  expecting: string,
  parse: (value: string) => string = (value) => value,
  /** Whether a fault is told at the end of the string, and not where the owner ends. */
  atOnce = false,
): Schema<string> {
  const check = (value: string): string => {
    try {
      return parse(value);
    } catch (error) {
      throw new JsonError((error as Error).message);
    }
  };
  return {
    expecting,
    convert(content) {
      if (typeof content !== "string") throw invalid(content, expecting);
      return check(content);
    },
    read(reader) {
      const next = reader.peek();
      if (next === undefined) throw reader.peekError("EOF while parsing a value");
      if (next !== 0x22) throw reader.invalidType(expecting);
      const value = reader.readString();
      return atOnce ? reader.fixing(() => check(value)) : check(value);
    },
  };
}

export const string: Schema<string> = text("a string");
export const path: Schema<string> = text("path string");

/** One of a list of names, spelled exactly. */
export function oneOf<const T extends string>(name: string, variants: readonly T[]): Schema<T> {
  const check = (value: string): T => {
    const found = variants.find((variant) => variant === value);
    if (found === undefined)
      throw new JsonError(`unknown variant \`${value}\`, expected ${list(variants)}`);
    return found;
  };
  return {
    expecting: `enum ${name}`,
    convert(content) {
      if (typeof content === "string") return check(content);
      if (typeof content === "object" && content !== null && isMap(content)) {
        const [only, ...more] = content.entries;
        if (only === undefined || more.length > 0)
          throw new JsonError("invalid value: map, expected map with a single key");
        return check(only[0]);
      }
      throw invalid(content, "string or map");
    },
    read(reader) {
      const next = reader.peek();
      if (next === undefined) throw reader.peekError("EOF while parsing a value");
      if (next === 0x22) return reader.fixing(() => check(reader.readString()));
      if (next !== 0x7b) throw reader.peekError("expected value");
      let value: T | undefined;
      reader.readMap(
        (key) => {
          value = reader.fixing(() => check(key));
          if (!reader.takeNull()) throw reader.invalidType("unit");
        },
        () => undefined,
      );
      if (value === undefined) throw reader.error("expected value");
      return value;
    },
  };
}

/** A list as messages give it: each name in backquotes. */
function list(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  if (quoted.length === 2) return quoted.join(" or ");
  return quoted.length === 1 ? (quoted[0] ?? "") : `one of ${quoted.join(", ")}`;
}

/** The words for a field that is not known to a type that refuses such fields. */
export function unknownField(name: string, known: readonly string[]): JsonError {
  return new JsonError(`unknown field \`${name}\`, expected ${list(known)}`);
}

/** A value that may be left out or null. */
export function option<T>(schema: Schema<T>): Schema<T | undefined> {
  return {
    expecting: "option",
    missing: () => undefined,
    convert: (content) => (content === null ? undefined : schema.convert(content)),
    read: (reader) => (reader.takeNull() ? undefined : schema.read(reader)),
    arrange: (value) => (value === undefined ? undefined : arranged(schema, value)),
  };
}

/** The same, where the real program writes null for what is not there. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return {
    expecting: "option",
    missing: () => null,
    convert: (content) => (content === null ? null : schema.convert(content)),
    read: (reader) => (reader.takeNull() ? null : schema.read(reader)),
  };
}

/** A list. */
export function listOf<T>(schema: Schema<T>): Schema<T[]> {
  return {
    expecting: "a sequence",
    convert(content) {
      if (!Array.isArray(content)) throw invalid(content, this.expecting);
      return (content as readonly Content[]).map((item) => schema.convert(item));
    },
    read(reader) {
      const next = reader.peek();
      if (next === undefined) throw reader.peekError("EOF while parsing a value");
      if (next !== 0x5b) throw reader.invalidType(this.expecting);
      const values: T[] = [];
      reader.fixing(() => reader.readList(() => values.push(schema.read(reader)) > 0));
      return values;
    },
    arrange: (values) => values.map((value) => arranged(schema, value)),
  };
}

/** A value that is changed after it was read. */
export function mapped<T, U>(schema: Schema<T>, change: (value: T) => U): Schema<U> {
  const missing = schema.missing;
  return {
    expecting: schema.expecting,
    convert: (content) => change(schema.convert(content)),
    read: (reader) => change(schema.read(reader)),
    ...(missing === undefined ? {} : { missing: () => change(missing()) }),
  };
}

/** A value with its keys in the order of its type. */
export function arranged<T>(schema: Schema<T>, value: T): T {
  return schema.arrange?.(value) ?? value;
}
