import { findVmmProgram, type VmmProgram } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** The VMM program of the settings, or what was found to be it, with what a user can do where it is missing. */
export function programOf(
  { settings }: Pick<Machine, "settings">,
  command: string = settings.chBinary,
): VmmProgram {
  return {
    command,
    hint: "Install cloud-hypervisor (https://github.com/cloud-hypervisor/cloud-hypervisor/releases), or name the program with SILK_CH_BINARY.",
  };
}

/**
 * The absolute path of the VMM program.
 * @throws SilkError `VMM_NOT_FOUND`
 */
export function vmmProgram(machine: Pick<Machine, "host" | "settings">): Promise<string> {
  return findVmmProgram(machine.host, programOf(machine));
}
