import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { isAbsolute, join } from "node:path";
import type { Config } from "@oclif/core/config";
import type { PluginDefinition, PluginLocation } from "@silkvm/core";
import { warn } from "../output/stderr.ts";
import { bundledPlugins } from "./bundled.ts";

/**
 * The plugins of this run: those that come with silk, those that `silk plugins install` or `link` brought, those that the setting
 * `plugins` names. One that is broken is named in a warning and left out: it takes nothing else down.
 */
export async function loadPlugins(
  oclif: Config,
  configured: readonly string[],
): Promise<readonly PluginDefinition[]> {
  const locations = [...installedPlugins(oclif), ...(await configuredPlugins(oclif, configured))];
  if (locations.length === 0) return bundledPlugins;
  const { discoverPlugins } = await import("@silkvm/core");
  const { plugins, failed } = await discoverPlugins(locations);
  for (const { error } of failed) warn(`${error.message.split("\n", 1)[0]}; it is left out`);
  return withoutClashes([...bundledPlugins, ...plugins]);
}

/** Plugins of oclif's that say in their package.json that they are silk's, too. */
function installedPlugins(oclif: Config): PluginLocation[] {
  return oclif
    .getPluginsList()
    .filter(({ type, pjson }) => type !== "core" && pjson["silk"] !== undefined)
    .map(({ name, root }) => ({ name, from: root }));
}

/** A name is looked for where `silk plugins install` puts packages, then beside silk itself; a path is the package. */
async function configuredPlugins(
  oclif: Config,
  configured: readonly string[],
): Promise<PluginLocation[]> {
  const installed = new Set(oclif.getPluginsList().map(({ name }) => name));
  const wanted = [...new Set(configured)].filter((name) => !installed.has(name));
  return await Promise.all(
    wanted.map(async (name) => {
      if (isAbsolute(name)) return { name: await packageName(name), from: name };
      const roots = [oclif.dataDir, oclif.root];
      return { name, from: roots.find((root) => isInstalled(name, root)) ?? oclif.dataDir };
    }),
  );
}

function isInstalled(name: string, root: string): boolean {
  try {
    createRequire(join(root, "noop.js")).resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

async function packageName(directory: string): Promise<string> {
  try {
    const text = await readFile(join(directory, "package.json"), "utf8");
    return (JSON.parse(text) as { name: string }).name;
  } catch {
    return directory;
  }
}

/** The engine refuses two backends of one name; a plugin that brings a second one is left out instead. */
function withoutClashes(plugins: readonly PluginDefinition[]): PluginDefinition[] {
  const owners = new Map<string, string>();
  return plugins.filter((plugin) => {
    const names = (plugin.backends ?? []).map(({ name }) => name);
    const taken = names.find((name) => owners.has(name));
    if (taken !== undefined) {
      warn(
        `the plugin ${plugin.name} brings the backend "${taken}" of ${owners.get(taken)}; it is left out`,
      );
      return false;
    }
    for (const name of names) owners.set(name, plugin.name);
    return true;
  });
}
