import { abandonGraceMs, type CallOptions, endVmm, VmmEnded, type VmRecord } from "@silkvm/core";
import { fromVmm } from "./from-vmm.ts";
import { launchFailure, stoodInItsOwnWay, withChain } from "./launch-failure.ts";
import type { Machine } from "./machine.ts";
import { vmmProgram } from "./vmm-program.ts";
import { eventsPath } from "./vmm-processes.ts";
import { removeSockets } from "./remove-sockets.ts";

/** A VMM of this VM that nothing told of is found and ended when the first try fails for it; more than one there cannot be. */
const tries = 2;

/**
 * Launches a VM's VMM, once what an earlier run has left is cleared away, and tells what fails as an error of silk's.
 * A VMM that no record names, left by a silk that was killed, is ended first: it holds the disks and the sockets.
 * @param attempt launches with the program that it is given; where it throws nothing of the VM runs
 * @param what begins the message of an error that the VMM's API has
 */
export async function launch<T>(
  machine: Machine,
  vm: VmRecord,
  { what, signal }: CallOptions & { readonly what: string },
  attempt: (program: string) => Promise<T>,
): Promise<T> {
  const program = await vmmProgram(machine);
  await clearRunDir(machine, vm);
  for (let left = tries; ; left--) {
    try {
      return await attempt(program);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof VmmEnded)) throw fromVmm(error, what);
      const failed = withChain(error.evidence);
      if (left > 1 && stoodInItsOwnWay(failed)) continue;
      throw await launchFailure(machine, vm, failed);
    }
  }
}

/** Removes what an earlier run has left. */
async function clearRunDir(machine: Machine, vm: VmRecord): Promise<void> {
  const { host, paths } = machine;
  const vmPaths = paths(vm);
  const left = await host.files.list(vmPaths.runDir);
  // A socket may be in use: it may only go once nobody lives who serves it.
  if (left.some((name) => name.includes(".sock"))) {
    await endVmm(machine, vm, { graceMs: abandonGraceMs });
    await removeSockets(machine, vm);
  }
  if (left.length > 0) await host.files.remove(eventsPath(vmPaths));
}
