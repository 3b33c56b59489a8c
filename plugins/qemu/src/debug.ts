import { dirname } from "node:path";
import type { CallOptions, VmRecord } from "@silkvm/core";
import { disksToMake, makeCommands } from "@silkvm/storage";
import { chooseAccel } from "./accel.ts";
import type { Machine } from "./machine.ts";
import { shapeOf } from "./shape.ts";
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

/** Commands that make the directories and the disks that silk would make for a VM. */
export function preparationOf({ paths }: Machine, vm: VmRecord): readonly (readonly string[])[] {
  const { dataDir, runDir } = paths(vm);
  const disks = disksToMake(vm, paths(vm));
  // Each with its parents, since -m is for what is named alone.
  const directories = [runDir, ...(disks.length > 0 ? [dataDir] : [])].flatMap((path) => [
    dirname(dirname(path)),
    dirname(path),
    path,
  ]);
  return [["mkdir", "-p", "-m", "0700", ...directories], ...disks.flatMap(makeCommands)];
}
