import { isOpaqueNumber, parseJson, stringifyJson } from "@silkvm/ch-client";
import { damagedSnapshot } from "@silkvm/storage";
import { configName, stateName } from "./snapshot-names.ts";

/** A JSON object of a file that is rewritten: fields that silk does not know, their order and every digit of their numbers are kept. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** config.json and state.json of a snapshot. */
export interface SnapshotDocuments {
  readonly config: JsonObject;
  readonly state: JsonObject;
}

/** @throws SilkError `SNAPSHOT_DAMAGED` */
export function parseDocuments(texts: {
  readonly config: string;
  readonly state: string;
}): SnapshotDocuments {
  return {
    config: parseObject(texts.config, configName),
    state: parseObject(texts.state, stateName),
  };
}

/** The documents as the VMM reads them. */
export function formatDocuments({ config, state }: SnapshotDocuments): {
  readonly config: string;
  readonly state: string;
} {
  return { config: stringifyJson(config), state: stringifyJson(state) };
}

/** @throws SilkError `SNAPSHOT_DAMAGED` */
export function parseObject(text: string, file: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(text, { exact: true });
  } catch (error) {
    throw damagedSnapshot(file, "is no JSON", error);
  }
  if (!isObject(value)) throw damagedSnapshot(file, "is no JSON object");
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !isOpaqueNumber(value)
  );
}

/** The object at a key. @throws SilkError `SNAPSHOT_DAMAGED` */
export function objectAt(parent: JsonObject, key: string, file: string): JsonObject {
  const value = Object.hasOwn(parent, key) ? parent[key] : undefined;
  if (!isObject(value)) throw damagedSnapshot(file, `has no ${key}`);
  return value;
}

/** The objects of a list at a key; none where the key is missing or null. @throws SilkError `SNAPSHOT_DAMAGED` */
export function objectsAt(parent: JsonObject, key: string, file: string): readonly JsonObject[] {
  const value = Object.hasOwn(parent, key) ? parent[key] : undefined;
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject))
    throw damagedSnapshot(file, `has something else than a list of objects for ${key}`);
  return value;
}

/** The same object with another value for a key, in the same place. */
export function withKey(object: JsonObject, key: string, value: unknown): JsonObject {
  return { ...object, [key]: value };
}

/** The same object without a key. */
export function withoutKey(object: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}
