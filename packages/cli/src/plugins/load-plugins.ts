import type { Config } from "@oclif/core/config";
import type { EngineConfig, PluginDefinition } from "@silkvm/core";
import { warn } from "../output/stderr.ts";
import { bundledPlugins } from "./bundled.ts";
import { configuredPlugins, installedPlugins } from "./locations.ts";

/**
 * The plugins of this run: those that come with silk, those that `silk plugins install` or `link` brought, those that the setting
 * `plugins` names. One that is broken is named in a warning and left out: it takes nothing else down.
 */
export async function loadPlugins(
  oclif: Config,
  { plugins: configured, hookTimeoutMs }: Pick<EngineConfig, "plugins" | "hookTimeoutMs">,
): Promise<readonly PluginDefinition[]> {
  const locations = [...installedPlugins(oclif), ...(await configuredPlugins(oclif, configured))];
  if (locations.length === 0) return bundledPlugins;
  const { discoverPlugins, withoutClashes } = await import("@silkvm/core");
  const { plugins, failed } = await discoverPlugins(locations, { timeoutMs: hookTimeoutMs });
  for (const { error } of failed) warn(`${firstLine(error)}; it is left out`);
  const together = withoutClashes([...bundledPlugins, ...plugins]);
  for (const { plugin, error } of together.clashes) {
    const keepsHooks = together.plugins.some(({ name }) => name === plugin.name);
    warn(
      `${firstLine(error)}; ${plugin.name} is left out${keepsHooks ? ", but for its hooks" : ""}`,
    );
  }
  return together.plugins;
}

function firstLine({ message }: Error): string {
  return message.split("\n", 1)[0] as string;
}
