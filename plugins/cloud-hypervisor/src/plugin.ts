import { definePlugin, type PluginDefinition } from "@silkvm/core";
import { diskKind } from "@silkvm/storage";
import { cloudHypervisor } from "./backend.ts";

const plugin: PluginDefinition = definePlugin({
  name: "@silkvm/cloud-hypervisor",
  apiVersion: 1,
  backends: [cloudHypervisor],
  devices: [{ name: "disk", load: async () => diskKind }],
});

export default plugin;
