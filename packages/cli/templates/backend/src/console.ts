import {
  type CallOptions,
  type Console,
  requireVmm,
  socketConsole,
  type VmRecord,
} from "@silkvm/core";
import { type Machine, places } from "./machine.ts";

/** Attaches to the console of a running VM: here a Unix socket of the VMM's. */
export async function openConsole(
  machine: Machine,
  vm: VmRecord,
  options?: CallOptions,
): Promise<Console> {
  requireVmm(machine, vm);
  return await socketConsole(machine.host, vm, places(machine, vm).console, options);
}
