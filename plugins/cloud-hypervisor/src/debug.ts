import { argumentObstacles, diskArg, launchArgs, type VmmLaunch } from "@silkvm/ch-client";
import { type CallOptions, type Disk, SilkError, type VmRecord } from "@silkvm/core";
import { toDiskConfig } from "./disk-config.ts";
import type { Machine } from "./machine.ts";
import { vmConfigOf } from "./vm-config.ts";
import { vmmOptions } from "./vmm-processes.ts";

/**
 * The values of `--disk` for disks, by the mapping that launch uses (Go: DebugDiskCLIArgs).
 * @param cpus vCPUs; 0 leaves the number of queues to the VMM
 * @param diskQueueSize ring depth of a queue; 0 means 512
 */
export function debugDiskCliArgs(
  disks: readonly Disk[],
  cpus: number,
  diskQueueSize: number,
  noDirectIo: boolean,
): string[] {
  const tuning = { cpus, diskQueueSize, noDirectIo };
  return disks.map((disk) => diskArg(toDiskConfig(disk, tuning)));
}

/** All that the VMM is told of a VM. */
export function launchOf({ host, paths }: Machine, vm: VmRecord): VmmLaunch {
  const vmPaths = paths(vm);
  return { ...vmmOptions(vmPaths), ...vmConfigOf(vm, vmPaths, host.facts.cpus) };
}

/** The program and the arguments that would start a VM. */
export async function launchCommandOf(
  machine: Machine,
  vm: VmRecord,
  { signal }: CallOptions = {},
): Promise<readonly string[]> {
  signal?.throwIfAborted();
  const launch = launchOf(machine, vm);
  const [obstacle] = argumentObstacles(launch);
  if (obstacle !== undefined)
    throw new SilkError(`the VMM's command line cannot express this VM: ${obstacle}`, {
      code: "NOT_EXPRESSIBLE",
      kind: "unsupported",
      hint: "silk starts it all the same, over the VMM's API.",
    });
  const { chBinary } = machine.settings;
  const program = (await machine.host.processes.which(chBinary)) ?? chBinary;
  return [program, ...launchArgs(launch)];
}
