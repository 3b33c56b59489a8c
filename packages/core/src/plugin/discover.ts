import { type SilkError, toSilkError } from "../errors.ts";
import { checkApiVersion } from "./check.ts";
import { lazyPlugin } from "./lazy.ts";
import { loadEntry } from "./load.ts";
import { readPluginManifest, statesNames } from "./manifest.ts";
import { findPackage } from "./package.ts";
import type { PluginDefinition } from "./plugin.ts";
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
  /** In the order of their locations. */
  readonly plugins: readonly PluginDefinition[];
  /** Packages that could not be loaded, each with the reason: they take nothing else down. */
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
  const found = await Promise.all(
    locations.map(async (location) => {
      try {
        return { plugin: await discover(location, options) };
      } catch (error) {
        const told = toSilkError(error, `the plugin ${location.name} cannot be loaded`);
        return { failed: { name: location.name, error: told } };
      }
    }),
  );
  return {
    plugins: found.flatMap(({ plugin }) => plugin ?? []),
    failed: found.flatMap(({ failed }) => failed ?? []),
  };
}

async function discover(
  { name, from }: PluginLocation,
  { timeoutMs = 30_000, eager = false }: DiscoverOptions,
): Promise<PluginDefinition | undefined> {
  const { directory, packageJson } = await findPackage(name, from);
  const manifest = readPluginManifest(packageJson, join(directory, "package.json"));
  if (manifest === undefined) return undefined;
  if (manifest.apiVersion !== undefined) checkApiVersion(name, manifest.apiVersion);
  const unloaded = { name, directory, manifest, timeoutMs };
  return statesNames(manifest) && !eager ? lazyPlugin(unloaded) : await loadEntry(unloaded);
}
