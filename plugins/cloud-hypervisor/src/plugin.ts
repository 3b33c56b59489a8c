import { definePlugin, type PluginDefinition } from "@silkvm/core";
import { diskKind } from "@silkvm/storage";
import { vfioKind } from "@silkvm/vfio";
import { virtiofsKind } from "@silkvm/virtiofs";
import { cloudHypervisor } from "./backend.ts";

/** The plugin: for `plugins` of `createEngine`. */
const plugin: PluginDefinition = definePlugin({
  name: "@silkvm/cloud-hypervisor",
  apiVersion: 1,
  backends: [cloudHypervisor],
  devices: [
    { name: "disk", load: async () => diskKind },
    { name: "vfio", load: async () => vfioKind },
    { name: "virtiofs", load: async () => virtiofsKind },
  ],
});

export default plugin;
