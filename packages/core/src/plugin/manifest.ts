import * as v from "valibot";
import { SilkError } from "../errors.ts";
import { checkApiVersion } from "./check.ts";
import { hookNames } from "./hooks.ts";

const name = v.pipe(
  v.string("must be a name"),
  v.regex(/^[a-z][a-z0-9-]*$/, "must be lower case letters, digits and dashes"),
);
const named = v.union(
  [name, v.looseObject({ name, description: v.optional(v.string()) })],
  "must be names, or objects with a name",
);

const schema = v.looseObject({
  plugin: v.pipe(v.string("must be a path"), v.nonEmpty("must be a path")),
  apiVersion: v.optional(v.pipe(v.number("must be a number"), v.integer("must be a whole number"))),
  backends: v.optional(v.array(named, "must be a list")),
  networks: v.optional(
    v.array(
      v.union(
        [
          name,
          v.looseObject({
            name,
            description: v.optional(v.string()),
            namedBy: v.optional(v.picklist(["bridge", "network"], "must be bridge or network")),
          }),
        ],
        "must be names, or objects with a name",
      ),
      "must be a list",
    ),
  ),
  images: v.optional(
    v.array(
      v.union(
        [
          name,
          v.looseObject({
            name,
            description: v.optional(v.string()),
            scheme: v.optional(name),
          }),
        ],
        "must be names, or objects with a name",
      ),
      "must be a list",
    ),
  ),
  devices: v.optional(v.array(name, "must be a list of names")),
  hooks: v.optional(
    v.array(
      v.picklist(
        hookNames,
        ({ received }) => `has ${received}, which is no hook that this silk knows`,
      ),
      "must be a list of names",
    ),
  ),
});

/** What a package says of itself as a plugin: `silk` in its package.json. */
export type PluginManifest = Readonly<v.InferOutput<typeof schema>>;

/** Lists of a manifest that say what a plugin brings. */
const lists = ["backends", "networks", "devices", "images", "hooks"] as const;

/**
 * Reads `silk` of a package.json.
 * @param where the file, for messages
 * @returns undefined for a package that is no plugin of silk's
 * @throws SilkError `PLUGIN_INVALID`, `PLUGIN_INCOMPATIBLE`
 */
export function readPluginManifest(
  packageJson: Readonly<Record<string, unknown>>,
  plugin: string,
  where: string,
): PluginManifest | undefined {
  const silk = packageJson["silk"] as
    | { readonly plugin?: unknown; readonly apiVersion?: unknown }
    | null
    | undefined;
  if (silk?.plugin === undefined) return undefined;
  // Before all else: what another version of the interface states may not be known here.
  if (Number.isInteger(silk.apiVersion)) checkApiVersion(plugin, silk.apiVersion as number);
  const parsed = v.safeParse(schema, silk);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = ["silk", ...(issue.path ?? []).map(({ key }) => String(key))].join(".");
    throw invalid(`"${path}" in ${where} ${issue.message}`);
  }
  const manifest = parsed.output;
  if (statesNames(manifest) && manifest.apiVersion === undefined)
    throw invalid(`"silk.apiVersion" in ${where} is missing: what states names states it, too`);
  return manifest;
}

/** Whether a manifest says what the plugin brings: then its entry need not be loaded to know. */
export function statesNames(manifest: PluginManifest): boolean {
  return lists.some((list) => manifest[list] !== undefined);
}

function invalid(message: string): SilkError {
  return new SilkError(message, {
    code: "PLUGIN_INVALID",
    kind: "invalid",
    hint: "The plugin author's guide tells what belongs there.",
  });
}
