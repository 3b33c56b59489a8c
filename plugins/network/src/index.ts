export { bridge } from "./bridge/network.ts";
export type { CniOptions } from "./cni/directories.ts";
export { cni, cniNetwork } from "./cni/network.ts";
export { default } from "./plugin.ts";
