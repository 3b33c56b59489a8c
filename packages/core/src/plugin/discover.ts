import { type SilkError, toSilkError } from "../errors.ts";
import { hookNames } from "./hooks.ts";
import { lazyPlugin } from "./lazy.ts";
import { loadEntry } from "./load.ts";
import { readPluginManifest, statesNames } from "./manifest.ts";
import { findPackage, type InstalledPackage } from "./package.ts";
import { pluginApiVersion, type PluginDefinition } from "./plugin.ts";
import { join } from "node:path";

/** Where a plugin may be. */
export interface PluginLocation {
  /** The npm package's name. */
  readonly name: string;
  /** The package's own directory, or a directory from which its name is resolved. */
  readonly from: string;
}

/** How plugins are looked for. */
export interface DiscoverOptions {
  /** How long each entry may take to be loaded, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * Loads every entry at once, also of a package that states what it brings: what is wrong with it is found out. Default false: those are
   * loaded when something of them is first needed.
   */
  readonly eager?: boolean | undefined;
}

/** The plugins that were found, and those that could not be used. */
export interface DiscoveredPlugins {
  /**
   * In the order of their locations. One that cannot be used is among them, with nothing but the reason (`broken`) and the `before` hooks that its package.json
   * states, which refuse: what it was to judge is not done unjudged.
   */
  readonly plugins: readonly PluginDefinition[];
  /** Packages that cannot be used, each with the reason: they take nothing else down. */
  readonly failed: readonly { readonly name: string; readonly error: SilkError }[];
}

/**
 * Finds plugins by their packages: `"silk": { "plugin": "./dist/plugin.js" }` in package.json names the entry. A package without it (a
 * plugin of oclif alone) is passed over. One that also states what it brings (`apiVersion`, `backends`, `networks`, `devices`, `images`, `hooks`) is
 * loaded when it is needed; the others are loaded here.
 */
export async function discoverPlugins(
  locations: readonly PluginLocation[],
  options: DiscoverOptions = {},
): Promise<DiscoveredPlugins> {
  const found = await Promise.all(locations.map((location) => discover(location, options)));
  const plugins = found.flatMap((plugin) => plugin ?? []);
  return {
    plugins,
    failed: plugins.flatMap(({ name, broken }) =>
      broken === undefined ? [] : [{ name, error: broken }],
    ),
  };
}

async function discover(
  { name, from }: PluginLocation,
  options: DiscoverOptions,
): Promise<PluginDefinition | undefined> {
  let found: InstalledPackage | undefined;
  try {
    found = await findPackage(name, from);
    return await load(name, found, options);
  } catch (error) {
    const told = toSilkError(error, `the plugin ${name} cannot be loaded`);
    return brokenPlugin(name, found?.packageJson["silk"], told);
  }
}

async function load(
  name: string,
  { directory, packageJson }: InstalledPackage,
  { timeoutMs = 30_000, eager = false }: DiscoverOptions,
): Promise<PluginDefinition | undefined> {
  const manifest = readPluginManifest(packageJson, name, join(directory, "package.json"));
  if (manifest === undefined) return undefined;
  const unloaded = { name, directory, manifest, timeoutMs };
  return statesNames(manifest) && !eager ? lazyPlugin(unloaded) : await loadEntry(unloaded);
}

/** What is left of a plugin that cannot be used. */
function brokenPlugin(name: string, manifest: unknown, broken: SilkError): PluginDefinition {
  const { hooks } = (manifest ?? {}) as { readonly hooks?: unknown };
  const stated: readonly unknown[] = Array.isArray(hooks) ? hooks : [];
  const judged = hookNames.filter((hook) => hook.includes(":before-") && stated.includes(hook));
  const refuse = async (): Promise<never> => {
    throw broken;
  };
  return {
    name,
    apiVersion: pluginApiVersion,
    hooks: Object.fromEntries(judged.map((hook) => [hook, refuse])),
    broken,
  };
}
