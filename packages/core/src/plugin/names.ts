import type { PluginDefinition } from "./plugin.ts";

/** The kinds of named things that a plugin can bring, and what one of them is called in a sentence. */
export const namedKinds = {
  backends: "backend",
  networks: "network",
  devices: "kind of devices",
  images: "image source",
} as const;

/** What plugins bring by name. */
export type NamedKind = keyof typeof namedKinds;

/** What a plugin brings, by name. */
export type PluginNames = Readonly<Record<NamedKind | "hooks", readonly string[]>>;

/** The names of everything that a plugin brings to an engine. */
export function pluginNames(plugin: PluginDefinition): PluginNames {
  const names = (things: readonly { readonly name: string }[] | undefined): readonly string[] =>
    (things ?? []).map(({ name }) => name);
  return {
    backends: names(plugin.backends),
    networks: names(plugin.networks),
    devices: names(plugin.devices),
    images: names(plugin.images),
    hooks: Object.keys(plugin.hooks ?? {}),
  };
}

/** The kinds, typed: `Object.keys` forgets it. */
export const kindsOfNames: readonly NamedKind[] = Object.keys(namedKinds) as NamedKind[];
