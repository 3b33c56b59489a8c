import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isSilkError, SilkError } from "../errors.ts";
import { within } from "../within.ts";
import { checkPlugin } from "./check.ts";
import { forbidExit } from "./forbid-exit.ts";
import type { PluginManifest } from "./manifest.ts";
import { kindsOfNames, namedKinds, pluginNames } from "./names.ts";
import type { PluginDefinition } from "./plugin.ts";

/** A plugin whose package has been found, and not been loaded yet. */
export interface UnloadedPlugin {
  readonly name: string;
  readonly directory: string;
  readonly manifest: PluginManifest;
  /** How long its entry may take to be loaded, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Loads the entry of a plugin, and checks it.
 * @throws SilkError `PLUGIN_BROKEN` where the entry is missing, throws, ends the process or does not come to an end; `PLUGIN_INVALID` where it exports no plugin, or
 * lacks what its package.json states; `PLUGIN_INCOMPATIBLE`
 */
export async function loadEntry(plugin: UnloadedPlugin): Promise<PluginDefinition> {
  const { name, directory, manifest, timeoutMs } = plugin;
  const { href } = pathToFileURL(join(directory, manifest.plugin));
  let module: { readonly default?: unknown };
  try {
    using _exit = forbidExit();
    module = await within(
      import(href) as Promise<typeof module>,
      timeoutMs,
      () => new Error(`its entry ${manifest.plugin} is not loaded after ${timeoutMs} ms`),
    );
  } catch (error) {
    const { code, url } = error as { code?: unknown; url?: unknown };
    const isMissing = code === "ERR_MODULE_NOT_FOUND" && url === href;
    throw broken(
      name,
      isMissing ? new Error(`its entry ${manifest.plugin} is not there: is it built?`) : error,
    );
  }
  const { default: definition } = module;
  checkPlugin(definition, name);
  refuseMissing(plugin, definition);
  // By the name of its package it can be updated and uninstalled.
  return definition.name === name ? definition : { ...definition, name };
}

function broken(name: string, error: unknown): SilkError {
  const message = error instanceof Error ? error.message : String(error);
  return new SilkError(`the plugin ${name} cannot be loaded: ${message}`, {
    code: "PLUGIN_BROKEN",
    kind: "internal",
    hint:
      (isSilkError(error) ? error.hint : undefined) ??
      `Update it (silk plugins update ${name}), or take it away: silk plugins uninstall ${name}`,
    details: { plugin: name },
    cause: error,
  });
}

/** What a package.json states and the entry does not bring would be found out by whoever needs it first. */
function refuseMissing({ name, manifest }: UnloadedPlugin, definition: PluginDefinition): void {
  const brought = pluginNames(definition);
  const refuse = (what: string): never => {
    throw new SilkError(`the plugin ${name} brings no ${what}, though its package.json says so`, {
      code: "PLUGIN_INVALID",
      kind: "invalid",
      details: { plugin: name },
    });
  };
  for (const kind of kindsOfNames)
    for (const stated of manifest[kind] ?? []) {
      const thing = typeof stated === "string" ? stated : stated.name;
      if (!brought[kind].includes(thing)) refuse(`${namedKinds[kind]} "${thing}"`);
    }
  for (const hook of manifest.hooks ?? [])
    if (!brought.hooks.includes(hook)) refuse(`hook ${hook}`);
}
