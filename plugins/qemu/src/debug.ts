import type { CallOptions, VmRecord } from "@silkvm/core";
import { preparation } from "@silkvm/storage";
import { chooseAccel } from "./accel.ts";
import type { Machine } from "./machine.ts";
import { shapeOf } from "./shape.ts";
import { uefiVars } from "./uefi-vars.ts";
import { vmArgs } from "./vm-args.ts";

/** The program and the arguments that would start a VM. */
export async function launchCommandOf(
  machine: Machine,
  vm: VmRecord,
  { signal }: CallOptions = {},
): Promise<readonly string[]> {
  signal?.throwIfAborted();
  const { qemuBinary } = machine.settings;
  const { accel } = await chooseAccel(machine);
  const shape = await shapeOf(machine, vm, { accel, buffered: false });
  const program = (await machine.host.processes.which(qemuBinary)) ?? qemuBinary;
  return [program, ...vmArgs(vm, machine.paths(vm), shape)];
}

/** Commands that make what that command line names and is not there yet. */
export async function preparationOf(
  machine: Machine,
  vm: VmRecord,
): Promise<readonly (readonly string[])[]> {
  const vars = await uefiVars(machine, vm);
  const copy = vars?.template === undefined ? [] : [["cp", vars.template, vars.path]];
  return preparation(vm, machine.paths(vm), copy);
}
