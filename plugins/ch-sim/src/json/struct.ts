import { type Content, describeContent, isMap } from "./content.ts";
import { JsonError } from "./json-error.ts";
import type { JsonReader } from "./json-reader.ts";
import { arranged, type Schema, unknownField } from "./schema.ts";

/** One field of a struct, or a struct whose fields are spread among the owner's. */
export type StructEntry =
  | {
      readonly name: string;
      readonly schema: Schema<unknown>;
      readonly alias?: string;
      readonly byDefault?: () => unknown;
      /** Whether a list of values has to have it although an object need not. */
      readonly needed?: true;
    }
  | { readonly spread: StructSchema<unknown> };

/** A struct's schema; its entries are known, so that another struct can spread it. */
export interface StructSchema<T> extends Schema<T> {
  readonly entries: readonly StructEntry[];
  readonly fieldNames: readonly string[];
}

/** A field that must be there, unless its type may be missing. */
export function field(name: string, schema: Schema<unknown>, alias?: string): StructEntry {
  return alias === undefined ? { name, schema } : { name, schema, alias };
}

/** A field that an object may leave out, and a list of values may not. */
export function needed(name: string, schema: Schema<unknown>): StructEntry {
  return { name, schema, needed: true };
}

/** A field with a default. */
export function defaulted<T>(
  name: string,
  schema: Schema<T>,
  byDefault: () => T,
  alias?: string,
): StructEntry {
  return alias === undefined ? { name, schema, byDefault } : { name, schema, byDefault, alias };
}

/** A struct whose fields stand among those of its owner. */
export function spread(schema: StructSchema<unknown>): StructEntry {
  return { spread: schema };
}

interface Slot {
  readonly value: unknown;
}

/** A struct. The object read has its fields in the order of the entries, and leaves out what is undefined. */
export function struct<T>(
  name: string,
  entries: readonly StructEntry[],
  denyUnknown = false,
): StructSchema<T> {
  const expecting = `struct ${name}`;
  const own = entries.filter((entry) => "name" in entry);
  const fieldNames = entries.flatMap((entry) =>
    "name" in entry ? [entry.name] : [...entry.spread.fieldNames],
  );
  const flattened = own.length !== entries.length;
  const find = (key: string) => own.find((entry) => entry.name === key || entry.alias === key);

  const finish = (
    slots: ReadonlyMap<string, Slot>,
    rest: readonly (readonly [string, Content])[],
  ): T => {
    const values = new Map<string, unknown>();
    for (const entry of own) {
      const slot = slots.get(entry.name);
      if (slot !== undefined) values.set(entry.name, slot.value);
      else if (entry.byDefault !== undefined) values.set(entry.name, entry.byDefault());
      else if (entry.schema.missing !== undefined) values.set(entry.name, entry.schema.missing());
      else throw new JsonError(`missing field \`${entry.name}\``);
    }
    const result: Record<string, unknown> = {};
    for (const entry of entries) {
      if ("name" in entry) {
        const value = values.get(entry.name);
        if (value !== undefined) result[entry.name] = value;
      } else {
        Object.assign(result, entry.spread.convert({ entries: rest }));
      }
    }
    return result as T;
  };

  const convertMap = (pairs: readonly (readonly [string, Content])[]): T => {
    const slots = new Map<string, Slot>();
    const rest: (readonly [string, Content])[] = [];
    for (const [key, value] of pairs) {
      const entry = find(key);
      if (entry === undefined) {
        if (denyUnknown) throw unknownField(key, fieldNames);
        rest.push([key, value]);
        continue;
      }
      if (slots.has(entry.name)) throw new JsonError(`duplicate field \`${entry.name}\``);
      slots.set(entry.name, { value: entry.schema.convert(value) });
    }
    return finish(slots, rest);
  };

  const readList = (next: (index: number) => Slot | undefined): T => {
    const slots = new Map<string, Slot>();
    own.forEach((entry, index) => {
      const slot = next(index);
      if (slot !== undefined) slots.set(entry.name, slot);
      else if (isNeededInList(entry)) {
        throw new JsonError(
          `invalid length ${index}, expected ${expecting} with ${own.length} element${own.length === 1 ? "" : "s"}`,
        );
      }
    });
    return finish(slots, []);
  };

  return {
    expecting,
    entries,
    fieldNames,
    arrange: (value) => arrangeEntries(entries, value as Record<string, unknown>) as T,
    convert(content) {
      if (Array.isArray(content) && !flattened) {
        const items = content as readonly Content[];
        return readList((index) => {
          const item = items[index];
          return item === undefined ? undefined : { value: own[index]?.schema.convert(item) };
        });
      }
      if (typeof content !== "object" || content === null || !isMap(content)) {
        throw new JsonError(`invalid type: ${describeContent(content)}, expected ${expecting}`);
      }
      return convertMap(content.entries);
    },
    read(reader: JsonReader) {
      const next = reader.peek();
      if (next === undefined) throw reader.peekError("EOF while parsing a value");
      if (next === 0x5b && !flattened) {
        return reader.fixing(() => {
          const items: unknown[] = [];
          reader.readList(() => {
            const entry = own[items.length];
            if (entry === undefined) return false;
            items.push(entry.schema.read(reader));
            return true;
          });
          return readList((index) => (index < items.length ? { value: items[index] } : undefined));
        });
      }
      if (next !== 0x7b) throw reader.invalidType(expecting);
      return reader.fixing(() => {
        const slots = new Map<string, Slot>();
        const rest: (readonly [string, Content])[] = [];
        let result: T | undefined;
        reader.readMap(
          (key) => {
            const entry = find(key);
            if (entry === undefined) {
              rest.push([key, reader.readContent()]);
              return;
            }
            slots.set(entry.name, { value: entry.schema.read(reader) });
          },
          () => {
            result = finish(slots, rest);
          },
          (key) => {
            const entry = find(key);
            if (entry === undefined && denyUnknown) throw unknownField(key, fieldNames);
            if (entry !== undefined && slots.has(entry.name))
              throw new JsonError(`duplicate field \`${entry.name}\``);
          },
        );
        return result as T;
      });
    },
  };
}

function isNeededInList(entry: Extract<StructEntry, { readonly name: string }>): boolean {
  if (entry.byDefault !== undefined) return false;
  return entry.needed === true || entry.schema.missing === undefined;
}

function arrangeEntries(
  entries: readonly StructEntry[],
  value: Record<string, unknown>,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const entry of entries) {
    if ("spread" in entry) {
      Object.assign(result, arrangeEntries(entry.spread.entries, value));
      continue;
    }
    const member = value[entry.name];
    if (member !== undefined) result[entry.name] = arranged(entry.schema, member);
  }
  return result;
}
