import { findVmmProgram } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** What a user can do where the program is missing. */
export const programHint =
  "Install QEMU (the package qemu-system-x86, or qemu-system-x86-core), or name the program with SILK_QEMU_BINARY.";

/**
 * The absolute path of the VMM program.
 * @throws SilkError `VMM_NOT_FOUND`
 */
export function vmmProgram({
  host,
  settings,
}: Pick<Machine, "host" | "settings">): Promise<string> {
  return findVmmProgram(host, { command: settings.qemuBinary, hint: programHint });
}
