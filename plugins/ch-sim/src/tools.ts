import { fileURLToPath } from "node:url";

import type { FaultAction } from "./faults/rules.ts";
import type { GuestSettings } from "./guest/settings.ts";
import type { HostSettings } from "./host/settings.ts";

/** The program, to be started with Node: `spawn(process.execPath, [chSimPath, ...])`. Built, it can be started by itself. */
export const chSimPath: string = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.js", import.meta.url),
);

/** How a simulated VMM is to behave; what is left out is an ordinary host with a guest that behaves well. */
export interface ChSimOptions {
  /** What goes wrong at which call. */
  readonly faults?: readonly (FaultAction & { readonly call: string; readonly nth?: number })[];
  readonly guest?: Partial<GuestSettings>;
  readonly host?: Partial<HostSettings>;
  /** A file with a list of faults, read at each call. */
  readonly controlFile?: string;
  /** Where simulated TAPs are kept; those who share it see each other's. */
  readonly tapDirectory?: string;
}

/** The environment variables that tell a simulated VMM how to behave. */
export function chSimEnv(options: ChSimOptions): Record<string, string> {
  return {
    ...(options.faults === undefined ? {} : { CH_SIM_FAULTS: JSON.stringify(options.faults) }),
    ...(options.guest === undefined ? {} : { CH_SIM_GUEST: JSON.stringify(options.guest) }),
    ...(options.host === undefined ? {} : { CH_SIM_HOST: JSON.stringify(options.host) }),
    ...(options.controlFile === undefined ? {} : { CH_SIM_CONTROL: options.controlFile }),
    ...(options.tapDirectory === undefined ? {} : { CH_SIM_TAP_DIR: options.tapDirectory }),
  };
}
