import { isAbsolute } from "node:path";
import type { Config } from "@oclif/core/config";
import { discoverPlugins, type PluginDefinition, SilkError } from "@silkvm/core";
import { loadPlugins } from "../plugins/load-plugins.ts";
import type { Patient } from "./context.ts";

/** The plugins of this run, and those that should have been among them, each with the reason. */
export async function findPlugins(
  oclif: Config,
  configured: readonly string[],
): Promise<{
  readonly plugins: readonly PluginDefinition[];
  readonly failed: Patient["plugins"]["failed"];
}> {
  const plugins = await loadPlugins(oclif, configured);
  const loaded = new Set(plugins.map(({ name }) => name));
  const installed = oclif
    .getPluginsList()
    .filter(({ type, pjson }) => type !== "core" && pjson["silk"] !== undefined)
    .map(({ name, root }) => ({ name, from: root }));
  const named = configured.map((name) => ({
    name,
    from: isAbsolute(name) ? name : oclif.dataDir,
  }));
  const failed: { name: string; error: SilkError }[] = [];
  for (const location of [...installed, ...named]) {
    if (loaded.has(location.name)) continue;
    const again = await discoverPlugins([location]);
    const [found] = again.plugins;
    if (found !== undefined && loaded.has(found.name)) continue;
    failed.push({ name: location.name, error: again.failed[0]?.error ?? leftOut(location.name) });
  }
  return { plugins, failed };
}

/** It loads by itself: then it is another plugin that it does not go with. */
function leftOut(name: string): SilkError {
  return new SilkError(
    `the plugin ${name} is left out: it brings nothing, or a backend that another plugin brings`,
    {
      code: "PLUGIN_INVALID",
      kind: "conflict",
    },
  );
}
