import { stringifyJson } from "@silkvm/ch-client";
import { damagedSnapshot } from "@silkvm/storage";
import { isObject, type JsonObject, objectAt, parseObject, withKey } from "./snapshot-documents.ts";
import { stateName } from "./snapshot-names.ts";

/**
 * The state of one component of state.json, by its path (`device-manager`, `_disk0`): JSON in a string.
 * Undefined where there is no such component, or it keeps no state.
 * @throws SilkError `SNAPSHOT_DAMAGED`
 */
export function readPart(state: JsonObject, path: readonly string[]): JsonObject | undefined {
  let component = state;
  for (const name of path) {
    const children = objectAt(component, "snapshots", stateName);
    if (!Object.hasOwn(children, name)) return undefined;
    component = objectAt(children, name, stateName);
  }
  const data = component["snapshot_data"];
  if (!isObject(data)) return undefined;
  const text = data["state"];
  if (typeof text !== "string")
    throw damagedSnapshot(stateName, `has no state of ${path.join(" / ")}`);
  return parseObject(text, `${stateName} (${path.join(" / ")})`);
}

/** The document with another state of one component, which has to have one. */
export function withPart(state: JsonObject, path: readonly string[], part: JsonObject): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) {
    const data = objectAt(state, "snapshot_data", stateName);
    return withKey(state, "snapshot_data", withKey(data, "state", stringifyJson(part)));
  }
  const children = objectAt(state, "snapshots", stateName);
  const child = withPart(objectAt(children, name, stateName), rest, part);
  return withKey(state, "snapshots", withKey(children, name, child));
}
