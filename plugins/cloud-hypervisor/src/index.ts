export { cloudHypervisor } from "./backend.ts";
export { debugDiskCliArgs } from "./debug.ts";
export { COW_SERIAL, type OciBoot, ociCmdline, reverseLayerSerials } from "@silkvm/core";
export { default } from "./plugin.ts";
