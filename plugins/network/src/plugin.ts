import { definePlugin, type PluginDefinition } from "@silkvm/core";
import { bridge } from "./bridge/network.ts";
import { cni } from "./cni/network.ts";

/** The plugin: for `plugins` of `createEngine`. */
const plugin: PluginDefinition = definePlugin({
  name: "@silkvm/network",
  apiVersion: 1,
  networks: [bridge, cni],
});

export default plugin;
