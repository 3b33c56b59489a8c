import { definePlugin, type PluginDefinition } from "@silkvm/core";
import { diskDevices } from "@silkvm/storage";
import { vfioDevices } from "@silkvm/vfio";
import { virtiofsDevices } from "@silkvm/virtiofs";
import { qemu } from "./backend.ts";

const plugin: PluginDefinition = definePlugin({
  name: "@silkvm/qemu",
  apiVersion: 1,
  backends: [qemu],
  devices: [diskDevices, vfioDevices, virtiofsDevices],
});

export default plugin;
