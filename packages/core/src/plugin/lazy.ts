import type { HookName, Hooks, HookTools } from "./hooks.ts";
import { loadEntry, type UnloadedPlugin } from "./load.ts";
import type { NamedKind } from "./names.ts";
import type { PluginDefinition } from "./plugin.ts";

type Named = string | { readonly name: string; readonly description?: string | undefined };

/**
 * A plugin by what its package.json states. Its entry is loaded when something of it is first needed: who installs ten plugins and uses one waits
 * for one.
 */
export function lazyPlugin(unloaded: UnloadedPlugin): PluginDefinition {
  const { name, manifest } = unloaded;
  let loading: Promise<PluginDefinition> | undefined;
  const load = (): Promise<PluginDefinition> => (loading ??= loadEntry(unloaded));
  const find = async <K extends NamedKind>(
    kind: K,
    wanted: string,
  ): Promise<NonNullable<PluginDefinition[K]>[number]> => {
    const things: readonly { readonly name: string }[] = (await load())[kind] ?? [];
    return things.find((thing) => thing.name === wanted) as NonNullable<
      PluginDefinition[K]
    >[number];
  };
  return {
    name,
    apiVersion: manifest.apiVersion as number,
    backends: (manifest.backends ?? []).map(told).map((backend) => ({
      ...backend,
      open: async (context) => await (await find("backends", backend.name)).open(context),
      fitness: async (context) => await (await find("backends", backend.name)).fitness?.(context),
    })),
    networks: (manifest.networks ?? []).map((network) => ({
      ...told(network),
      namedBy: typeof network === "string" ? undefined : network.namedBy,
      open: async (context) => await (await find("networks", told(network).name)).open(context),
    })),
    images: (manifest.images ?? []).map((source) => ({
      ...told(source),
      scheme: typeof source === "string" ? undefined : source.scheme,
      open: async (context) => await (await find("images", told(source).name)).open(context),
    })),
    devices: (manifest.devices ?? []).map((kind) => ({
      name: kind,
      load: async () => await (await find("devices", kind)).load(),
    })),
    hooks: lazyHooks(manifest.hooks ?? [], load),
  };
}

function told(thing: Named): { readonly name: string; readonly description: string } {
  return typeof thing === "string"
    ? { name: thing, description: "" }
    : { name: thing.name, description: thing.description ?? "" };
}

function lazyHooks(names: readonly HookName[], load: () => Promise<PluginDefinition>): Hooks {
  const call =
    (name: HookName) =>
    async (context: never, tools: HookTools): Promise<unknown> => {
      const { hooks } = await load();
      return await hooks?.[name]?.(context, tools);
    };
  return Object.fromEntries(names.map((name) => [name, call(name)])) as Hooks;
}
