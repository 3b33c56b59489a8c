import {
  type CallOptions,
  type Console,
  consoleUnavailable,
  requireVmm,
  socketConsole,
  terminalConsole,
  type VmRecord,
} from "@silkvm/core";
import { openClient } from "./client.ts";
import { fromVmm } from "./from-vmm.ts";
import type { Machine } from "./machine.ts";

/**
 * Attaches to the console of a running VM: the PTY of a directly booted guest, the serial socket of one with firmware.
 * @throws SilkError `VM_NOT_RUNNING`, `CONSOLE_UNAVAILABLE`
 */
export async function console(
  machine: Machine,
  vm: VmRecord,
  options: CallOptions = {},
): Promise<Console> {
  requireVmm(machine, vm);
  const { host, paths } = machine;
  return vm.boot.kind === "direct"
    ? await terminalConsole(host, vm, await ptyPath(machine, vm, options), options)
    : await socketConsole(host, vm, paths(vm).consoleSocketPath, options);
}

/** Asked for each time: it is another one after each start. */
async function ptyPath(machine: Machine, vm: VmRecord, options: CallOptions): Promise<string> {
  await using client = openClient(machine, vm);
  const info = await client.vm.info(options).catch((error: unknown) => {
    throw fromVmm(error, `the console of ${vm.name} could not be asked for`);
  });
  const { mode, file: path } = info.config.console;
  if (mode !== "Pty" || path === undefined)
    throw consoleUnavailable(vm, `the VMM has no terminal for it (its mode is ${mode})`);
  return path;
}
