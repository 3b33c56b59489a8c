export type { FaultAction } from "./faults/rules.ts";
export type { GuestSettings } from "./guest/settings.ts";
export type { HostSettings } from "./host/settings.ts";
export { chSimEnv, type ChSimOptions, chSimPath } from "./tools.ts";
