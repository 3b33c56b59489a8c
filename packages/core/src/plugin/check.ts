import { SilkError } from "../errors.ts";
import type { BackendDefinition } from "../hypervisor.ts";
import { pluginApiVersion, type PluginDefinition } from "./plugin.ts";

/**
 * Checks plugins against this copy of core and against each other, and gives their backends.
 * @throws SilkError `PLUGIN_INVALID`, `PLUGIN_INCOMPATIBLE`, `BACKEND_DUPLICATE`
 */
export function checkPlugins(plugins: readonly PluginDefinition[]): readonly BackendDefinition[] {
  const owners = new Map<string, string>();
  return plugins.flatMap((plugin) => {
    checkPlugin(plugin, plugin?.name ?? "(unnamed)");
    for (const { name } of plugin.backends ?? []) {
      const owner = owners.get(name);
      if (owner !== undefined)
        throw new SilkError(
          `the plugins ${owner} and ${plugin.name} both bring a backend "${name}"`,
          {
            code: "BACKEND_DUPLICATE",
            kind: "conflict",
            hint: "Uninstall one of them: silk plugins uninstall NAME",
            details: { backend: name, plugins: [owner, plugin.name] },
          },
        );
      owners.set(name, plugin.name);
    }
    return plugin.backends ?? [];
  });
}

/** @throws SilkError `PLUGIN_INVALID`, `PLUGIN_INCOMPATIBLE` */
export function checkPlugin(value: unknown, origin: string): asserts value is PluginDefinition {
  const plugin = value as Partial<PluginDefinition> | null | undefined;
  if (
    typeof plugin !== "object" ||
    plugin === null ||
    typeof plugin.name !== "string" ||
    typeof plugin.apiVersion !== "number"
  )
    throw new SilkError(
      `${origin} is no silk plugin: its entry must export definePlugin({ name, apiVersion, … }) as its default`,
      {
        code: "PLUGIN_INVALID",
        kind: "invalid",
        details: { plugin: origin },
      },
    );
  if (plugin.apiVersion !== pluginApiVersion)
    throw new SilkError(
      `the plugin ${plugin.name} is for version ${plugin.apiVersion} of the plugin interface, and this silk speaks ${pluginApiVersion}`,
      {
        code: "PLUGIN_INCOMPATIBLE",
        kind: "unsupported",
        hint:
          plugin.apiVersion > pluginApiVersion
            ? "Update silk."
            : `Update the plugin: silk plugins update, or silk plugins uninstall ${plugin.name}`,
        details: {
          plugin: plugin.name,
          apiVersion: plugin.apiVersion,
          supported: pluginApiVersion,
        },
      },
    );
}
