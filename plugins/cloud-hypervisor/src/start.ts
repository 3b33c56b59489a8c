import type { OperationContext, VmRecord, VmRuntime } from "@silkvm/core";
import { abandonGraceMs } from "./abandon.ts";
import { checkVmFiles } from "./check-vm-files.ts";
import { endVmm, removeSockets } from "./end-vmm.ts";
import { fromVmm } from "./from-vmm.ts";
import { launchFailure, stoodInItsOwnWay } from "./launch-failure.ts";
import { launchVmm, VmmEnded } from "./launch-vmm.ts";
import type { Machine } from "./machine.ts";
import { vmmProgram } from "./vmm-program.ts";
import { eventsPath } from "./vmm-processes.ts";

/** A VMM of this VM that nothing told of is found and ended when the first try fails for it; more than one there cannot be. */
const tries = 2;

/**
 * Launches the VMM and waits until the guest runs. Whatever fails, or is aborted: nothing of it runs any more afterwards.
 * A VMM that no record names, left by a silk that was killed, is ended first: it holds the disks and the sockets.
 */
export async function start(
  machine: Machine,
  vm: VmRecord,
  context: OperationContext,
): Promise<VmRuntime> {
  const { signal, progress } = context;
  signal?.throwIfAborted();
  await checkVmFiles(machine.host, vm);
  const program = await vmmProgram(machine);
  await clearRunDir(machine, vm);
  progress("starting the VMM");
  for (let left = tries; ; left--) {
    try {
      return await launchVmm(machine, vm, program, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof VmmEnded))
        throw fromVmm(error, `the VM ${vm.name} could not be started`);
      if (left > 1 && stoodInItsOwnWay(error.evidence)) continue;
      throw await launchFailure(machine, vm, error.evidence);
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
