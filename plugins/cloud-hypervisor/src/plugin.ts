import { definePlugin, type PluginDefinition } from "@silkvm/core";
import { diskKind } from "@silkvm/storage";
import { vfioKind } from "@silkvm/vfio";
import { cloudHypervisor } from "./backend.ts";

const plugin: PluginDefinition = definePlugin({
  name: "@silkvm/cloud-hypervisor",
  apiVersion: 1,
  backends: [cloudHypervisor],
  devices: [
    { name: "disk", load: async () => diskKind },
    { name: "vfio", load: async () => vfioKind },
  ],
});

export default plugin;
