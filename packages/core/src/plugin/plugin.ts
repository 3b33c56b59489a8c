import type { DeviceKindDefinition } from "../devices/device-kind.ts";
import type { ImageSourceDefinition } from "../image/image-source.ts";
import type { SilkError } from "../errors.ts";
import type { BackendDefinition } from "../hypervisor.ts";
import type { NetworkDefinition } from "../plumbing.ts";
import type { Hooks } from "./hooks.ts";

/** The version of the plugin interface that this copy of core speaks. A plugin of another one is refused. */
export const pluginApiVersion = 1;

/** What a plugin brings. */
export interface PluginDefinition {
  /** The npm package's name. */
  readonly name: string;
  readonly apiVersion: number;
  readonly backends?: readonly BackendDefinition[] | undefined;
  /** Ways to give VMs a network. */
  readonly networks?: readonly NetworkDefinition[] | undefined;
  /** Kinds of devices that can be added to running VMs. */
  readonly devices?: readonly DeviceKindDefinition[] | undefined;
  /** Where VMs get images from. */
  readonly images?: readonly ImageSourceDefinition[] | undefined;
  readonly hooks?: Hooks | undefined;
  /** Why it cannot be used: what `discoverPlugins` says of a plugin that it has to leave out. An author never sets it. */
  readonly broken?: SilkError | undefined;
}

/**
 * Defines a plugin; the default export of a plugin package's entry.
 * @example
 * export default definePlugin({ name: "@acme/silk-fast", apiVersion: 1, backends: [fast] });
 */
export function definePlugin(plugin: PluginDefinition): PluginDefinition {
  return plugin;
}
