import { join } from "node:path";
import type { ProcessIdentity, VmPaths, VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { optionValue } from "./option-value.ts";

/** Where the VMM writes its pid. It removes the file as it ends in order, and leaves it as it crashes or is killed. */
export function pidPath({ runDir }: Pick<VmPaths, "runDir">): string {
  return join(runDir, "vmm.pid");
}

/** Made once the guest runs: with it, and without the file of the pid, a VM has run and ended in order. */
export function ranPath({ runDir }: Pick<VmPaths, "runDir">): string {
  return join(runDir, "ran");
}

/** The arguments that make the monitor at the VM's API socket: no other process has them. */
export function monitorArgs({ apiSocketPath }: Pick<VmPaths, "apiSocketPath">): readonly string[] {
  const socket = `socket,id=monitor,path=${optionValue(apiSocketPath)},server=on,wait=off`;
  return ["-chardev", socket, "-mon", "chardev=monitor,mode=control"];
}

/**
 * The living processes that are this VM's VMM, whatever the record knows of them: a silk that was killed between the launch and the record leaves one that no
 * record names.
 */
export async function findVmmProcesses(
  { host, paths }: Pick<Machine, "host" | "paths">,
  vm: VmRecord,
): Promise<readonly ProcessIdentity[]> {
  const [flag, socket] = monitorArgs(paths(vm));
  const found = await host.processes.find((argv) =>
    argv.some((argument, index) => argument === socket && argv[index - 1] === flag),
  );
  return found.map(({ identity }) => identity);
}
