import { SilkError } from "../errors.ts";
import { hookNames } from "./hooks.ts";
import { kindsOfNames, namedKinds, pluginNames } from "./names.ts";
import { pluginApiVersion, type PluginDefinition } from "./plugin.ts";

const namePattern = /^[a-z][a-z0-9-]*$/;

/** The function that each kind of named things has. */
const functions = { backends: "open", networks: "open", devices: "load", images: "open" } as const;

/**
 * Checks that a value is a plugin for this copy of core.
 * @throws SilkError `PLUGIN_INVALID`, `PLUGIN_INCOMPATIBLE`
 */
export function checkPlugin(value: unknown, origin: string): asserts value is PluginDefinition {
  const plugin = value as Partial<PluginDefinition> | null | undefined;
  if (
    typeof plugin !== "object" ||
    plugin === null ||
    typeof plugin.name !== "string" ||
    typeof plugin.apiVersion !== "number"
  )
    throw invalid(
      origin,
      `${origin} is no silk plugin: its entry must export definePlugin({ name, apiVersion, … }) as its default`,
    );
  checkApiVersion(plugin.name, plugin.apiVersion);
  for (const kind of kindsOfNames) checkThings(plugin as PluginDefinition, kind);
  for (const [hook, run] of Object.entries(plugin.hooks ?? {})) {
    if (!(hookNames as readonly string[]).includes(hook))
      throw invalid(
        plugin.name,
        `the plugin ${plugin.name} has a hook "${hook}", which this silk does not know`,
        "It is misspelt, or for a newer silk.",
      );
    if (run !== undefined && typeof run !== "function")
      throw invalid(plugin.name, `the hook ${hook} of the plugin ${plugin.name} is no function`);
  }
}

/** @throws SilkError `PLUGIN_INCOMPATIBLE` */
export function checkApiVersion(plugin: string, apiVersion: number): void {
  if (apiVersion === pluginApiVersion) return;
  throw new SilkError(
    `the plugin ${plugin} is for version ${apiVersion} of the plugin interface, and this silk speaks ${pluginApiVersion}`,
    {
      code: "PLUGIN_INCOMPATIBLE",
      kind: "unsupported",
      hint:
        apiVersion > pluginApiVersion
          ? "Update silk."
          : `Update the plugin (silk plugins update ${plugin}), or take it away: silk plugins uninstall ${plugin}`,
      details: { plugin, apiVersion, supported: pluginApiVersion },
    },
  );
}

function checkThings(plugin: PluginDefinition, kind: keyof typeof functions): void {
  const things: unknown = plugin[kind];
  if (things === undefined) return;
  if (!Array.isArray(things))
    throw invalid(plugin.name, `"${kind}" of the plugin ${plugin.name} is no list`);
  for (const thing of things as readonly unknown[]) {
    const { name } = (thing ?? {}) as { name?: unknown };
    if (typeof name !== "string" || !namePattern.test(name))
      throw invalid(
        plugin.name,
        `the plugin ${plugin.name} brings a ${namedKinds[kind]} without a name of lower case letters, digits and dashes`,
      );
    if (typeof (thing as Record<string, unknown>)[functions[kind]] !== "function")
      throw invalid(
        plugin.name,
        `the ${namedKinds[kind]} "${name}" of the plugin ${plugin.name} has no function ${functions[kind]}`,
      );
  }
}

/** Something that two plugins both bring, so that they do not go together. */
interface Clash {
  readonly error: SilkError;
  /** The later of the two. */
  readonly plugin: PluginDefinition;
}

/** Something that only one plugin can have. */
interface Claim {
  readonly kind: keyof typeof functions;
  readonly key: string;
  readonly name: string;
  /** What it is called in a message. */
  readonly what: string;
}

/** By what scheme images are found: of two sources with the same one, the second never is. */
function schemes({ images = [] }: PluginDefinition): readonly Claim[] {
  return images.map(({ name, scheme }) => ({
    kind: "images",
    key: `scheme ${scheme}`,
    name,
    what:
      scheme === undefined
        ? "image source for names without a scheme"
        : `image source for ${scheme}://`,
  }));
}

function article(noun: string): string {
  return noun.startsWith("image") ? "an" : "a";
}

/** Duplicates have a code for each kind. */
const duplicateCodes = {
  backends: "BACKEND_DUPLICATE",
  networks: "NETWORK_DUPLICATE",
  devices: "DEVICE_KIND_DUPLICATE",
  images: "IMAGE_SOURCE_DUPLICATE",
} as const;

/** The plugins that go together, each with those before it, and those that are left out but for their hooks. */
export function withoutClashes(plugins: readonly PluginDefinition[]): {
  readonly plugins: readonly PluginDefinition[];
  readonly clashes: readonly Clash[];
} {
  const owners = new Map<string, string>();
  const kept: PluginDefinition[] = [];
  const clashes: Clash[] = [];
  for (const plugin of plugins) {
    const names = pluginNames(withoutShared(plugin, kept));
    const own: Claim[] = [
      ...kindsOfNames.flatMap((kind) =>
        names[kind].map((name) => ({
          kind,
          key: `${kind} ${name}`,
          name,
          what: `${namedKinds[kind]} "${name}"`,
        })),
      ),
      ...schemes(plugin),
    ];
    const taken = own.find(
      ({ key }, index) => owners.has(key) || own.findIndex((other) => other.key === key) < index,
    );
    if (taken === undefined) {
      for (const { key } of own) owners.set(key, plugin.name);
      kept.push(plugin);
      continue;
    }
    const { kind, name, what } = taken;
    const owner = owners.get(taken.key) ?? plugin.name;
    const error = new SilkError(
      owner === plugin.name
        ? `the plugin ${plugin.name} brings the ${what} twice`
        : `the plugins ${owner} and ${plugin.name} both bring ${article(what)} ${what}`,
      {
        code: duplicateCodes[kind],
        kind: "conflict",
        hint: `Uninstall one of them: silk plugins uninstall ${plugin.name}`,
        details: { [singular[kind]]: name, plugins: [owner, plugin.name] },
      },
    );
    clashes.push({ error, plugin });
    // No hook is in another one's way, and a policy holds whatever else its plugin brings.
    const { apiVersion, hooks } = plugin;
    if (names.hooks.length > 0) kept.push({ name: plugin.name, apiVersion, hooks });
  }
  return { plugins: kept, clashes };
}

/** Backends of two plugins may know the same kind of devices, by the very same definition: then it is brought once. */
function withoutShared(
  plugin: PluginDefinition,
  others: readonly PluginDefinition[],
): PluginDefinition {
  const known = new Set(others.flatMap(({ devices = [] }) => devices));
  return { ...plugin, devices: plugin.devices?.filter((kind) => !known.has(kind)) };
}

const singular = {
  backends: "backend",
  networks: "network",
  devices: "device",
  images: "image",
} as const;

/**
 * Checks plugins against this copy of core and against each other.
 * @throws SilkError `PLUGIN_INVALID`, `PLUGIN_INCOMPATIBLE`, `BACKEND_DUPLICATE`, `NETWORK_DUPLICATE`, `DEVICE_KIND_DUPLICATE`, `IMAGE_SOURCE_DUPLICATE`
 */
export function checkPlugins(plugins: readonly PluginDefinition[]): void {
  for (const plugin of plugins) checkPlugin(plugin, plugin?.name ?? "(unnamed)");
  const [clash] = withoutClashes(plugins).clashes;
  if (clash !== undefined) throw clash.error;
}

function invalid(plugin: string, message: string, hint?: string): SilkError {
  return new SilkError(message, {
    code: "PLUGIN_INVALID",
    kind: "invalid",
    hint,
    details: { plugin },
  });
}
