import { tmpdir } from "node:os";
import { join } from "node:path";

import { type FaultRule, parseFaults } from "./faults/rules.ts";
import { type GuestSettings, parseGuest } from "./guest/settings.ts";
import { type HostSettings, parseHost } from "./host/settings.ts";

/** How the simulator is told to behave. */
export interface Settings extends HostSettings {
  readonly guest: GuestSettings;
  readonly faults: readonly FaultRule[];
  /** A file that is read at each call, for faults and settings that change while the VMM runs. */
  readonly controlFile: string | undefined;
  readonly tapDirectory: string;
}

/** A setting that makes no sense: which variable, and why. */
export class SettingsError extends Error {}

let current: Settings | undefined;

/** The settings of this process. */
export function settings(): Settings {
  current ??= readSettings(process.env);
  return current;
}

/** Reads the settings out of an environment. Throws a SettingsError that names the variable. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const read = <T>(name: string, parse: (value: unknown) => T): T => {
    const text = env[name];
    try {
      return parse(text === undefined || text === "" ? undefined : JSON.parse(text));
    } catch (error) {
      throw new SettingsError(`${name}: ${(error as Error).message}`);
    }
  };
  const user = process.getuid?.() ?? 0;
  return {
    ...read("CH_SIM_HOST", parseHost),
    guest: read("CH_SIM_GUEST", parseGuest),
    faults: read("CH_SIM_FAULTS", parseFaults),
    controlFile: env["CH_SIM_CONTROL"],
    tapDirectory: env["CH_SIM_TAP_DIR"] ?? join(tmpdir(), `ch-sim-taps-${user}`),
  };
}
