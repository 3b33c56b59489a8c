export { cloudHypervisor } from "./backend.ts";
export { debugDiskCliArgs } from "./debug.ts";
export { COW_SERIAL, type OciBoot, ociCmdline, reverseLayerSerials } from "./oci-cmdline.ts";
export { default } from "./plugin.ts";
