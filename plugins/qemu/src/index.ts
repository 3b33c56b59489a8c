export { qemu } from "./backend.ts";
export { default } from "./plugin.ts";
