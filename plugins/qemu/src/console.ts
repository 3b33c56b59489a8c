import {
  type CallOptions,
  type Console,
  requireVmm,
  socketConsole,
  type VmRecord,
} from "@silkvm/core";
import type { Machine } from "./machine.ts";

/**
 * Attaches to the console of a running VM: a socket, to one at a time.
 * @throws SilkError `VM_NOT_RUNNING`, `CONSOLE_UNAVAILABLE`
 */
export async function console(
  machine: Machine,
  vm: VmRecord,
  options?: CallOptions,
): Promise<Console> {
  requireVmm(machine, vm);
  return await socketConsole(machine.host, vm, machine.paths(vm).consoleSocketPath, options);
}
