import { definePlugin, type PluginDefinition } from "@silkvm/core";
import { diskDevices } from "@silkvm/storage";
import { vfioDevices } from "@silkvm/vfio";
import { virtiofsDevices } from "@silkvm/virtiofs";
import { cloudHypervisor } from "./backend.ts";

/** The plugin: for `plugins` of `createEngine`. */
const plugin: PluginDefinition = definePlugin({
  name: "@silkvm/cloud-hypervisor",
  apiVersion: 1,
  backends: [cloudHypervisor],
  devices: [diskDevices, vfioDevices, virtiofsDevices],
});

export default plugin;
