import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { SilkError, toSilkError } from "../errors.ts";
import { checkPlugin } from "./check.ts";
import type { PluginDefinition } from "./plugin.ts";

/** Where a plugin may be. */
export interface PluginLocation {
  /** The npm package's name. */
  readonly name: string;
  /** The package's own directory, or a directory from which its name is resolved. */
  readonly from: string;
}

export interface DiscoveredPlugins {
  readonly plugins: readonly PluginDefinition[];
  /** Packages that could not be loaded, each with the reason: they take nothing else down. */
  readonly failed: readonly { readonly name: string; readonly error: SilkError }[];
}

/**
 * Loads plugins by their packages: `"silk": { "plugin": "./dist/plugin.js" }` in package.json names the entry. A package without it (a
 * plugin of oclif alone) is passed over.
 */
export async function discoverPlugins(
  locations: readonly PluginLocation[],
): Promise<DiscoveredPlugins> {
  const plugins: PluginDefinition[] = [];
  const failed: { name: string; error: SilkError }[] = [];
  for (const location of locations) {
    try {
      const plugin = await loadPlugin(location);
      if (plugin !== undefined) plugins.push(plugin);
    } catch (error) {
      failed.push({
        name: location.name,
        error: toSilkError(error, `the plugin ${location.name} cannot be loaded`),
      });
    }
  }
  return { plugins, failed };
}

async function loadPlugin({ name, from }: PluginLocation): Promise<PluginDefinition | undefined> {
  const directory = await findPackage(name, from);
  const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as {
    silk?: { plugin?: unknown };
  };
  const entry = manifest.silk?.plugin;
  if (entry === undefined) return undefined;
  if (typeof entry !== "string")
    throw new SilkError(`"silk.plugin" in ${join(directory, "package.json")} must be a path`, {
      code: "PLUGIN_INVALID",
      kind: "invalid",
    });
  const module = (await import(pathToFileURL(join(directory, entry)).href)) as {
    default?: unknown;
  };
  checkPlugin(module.default, name);
  return module.default;
}

async function findPackage(name: string, from: string): Promise<string> {
  const own = await readFile(join(from, "package.json"), "utf8").catch(() => undefined);
  if (own !== undefined && (JSON.parse(own) as { name?: unknown }).name === name) return from;
  try {
    return dirname(createRequire(join(from, "noop.js")).resolve(`${name}/package.json`));
  } catch (error) {
    throw new SilkError(`there is no package ${name} under ${from}`, {
      code: "PLUGIN_NOT_FOUND",
      kind: "not-found",
      hint: `Install it: silk plugins install ${name}`,
      cause: error,
    });
  }
}
