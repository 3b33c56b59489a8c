import { SilkError, validate } from "@silkvm/core";
import * as v from "valibot";

/** Versions of the CNI specification whose results have an address in the one form that all of them share. */
const versions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;

/** Never a path: it would lead out of the plugins' directories. */
const program = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "must be the name of a program"),
);

/** A plugin's configuration: what else it has is the plugin's own, and is passed on as it is. */
const pluginSchema = v.looseObject({
  type: program,
  ipam: v.optional(v.looseObject({ type: v.optional(program) })),
  capabilities: v.optional(v.record(v.string(), v.boolean())),
});

const conflistSchema = v.object({
  cniVersion: v.picklist(versions, `must be one of ${versions.join(", ")}`),
  name: v.pipe(
    v.string(),
    v.regex(
      /^[A-Za-z0-9][A-Za-z0-9_.-]*$/,
      "must begin with a letter or digit, and have no others than `_.-` besides",
    ),
  ),
  disableCheck: v.optional(v.boolean()),
  plugins: v.pipe(v.array(pluginSchema), v.minLength(1, "must have a plugin")),
});

/** One plugin of a network, with what it was configured with. */
export type PluginConfig = v.InferOutput<typeof pluginSchema>;

/** A CNI network: plugins that are called one after the other. */
export type Conflist = v.InferOutput<typeof conflistSchema>;

export { conflistSchema };

/** Reads a network configuration: a list of plugins, or a single one, as older files have it. @throws SilkError `INVALID_CONFLIST` */
export function parseConflist(text: string, what: string): Conflist {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SilkError(`${what} is no JSON: ${(error as Error).message}`, {
      code: "INVALID_CONFLIST",
      kind: "invalid",
      cause: error,
    });
  }
  return validate(conflistSchema, asList(value), "INVALID_CONFLIST", what);
}

function asList(value: unknown): unknown {
  if (typeof value !== "object" || value === null || "plugins" in value || !("type" in value))
    return value;
  const { cniVersion, name, ...plugin } = value as Record<string, unknown>;
  return { cniVersion, name, plugins: [plugin] };
}

/** Programs that the plugins of a network need. */
export function programsOf({ plugins }: Conflist): readonly string[] {
  const names = plugins.flatMap(({ type, ipam }) =>
    ipam?.type === undefined ? [type] : [type, ipam.type],
  );
  return [...new Set(names)];
}

/** Whether the network's version has CHECK, and results that DEL is given back. */
export function hasCheck({ cniVersion }: Conflist): boolean {
  return !cniVersion.startsWith("0.3.");
}
