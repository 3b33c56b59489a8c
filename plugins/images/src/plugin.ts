import { definePlugin, type PluginDefinition } from "@silkvm/core";
import { imageSource } from "./source.ts";

/** The plugin: for `plugins` of `createEngine`. */
const plugin: PluginDefinition = definePlugin({
  name: "@silkvm/images",
  apiVersion: 1,
  images: [imageSource],
});

export default plugin;
