import { definePlugin, type PluginDefinition } from "@silkvm/core";
import { cloudHypervisor } from "./backend.ts";

const plugin: PluginDefinition = definePlugin({
  name: "@silkvm/cloud-hypervisor",
  apiVersion: 1,
  backends: [cloudHypervisor],
});

export default plugin;
