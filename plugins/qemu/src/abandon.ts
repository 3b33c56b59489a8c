import { endVmm, type ProcessIdentity, type VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { removeSockets } from "./remove-sockets.ts";

/** How long a VMM that nobody wants any more may take to close its disks. */
export const abandonGraceMs = 1_000;

/**
 * Ends what is left of a launch that failed. It takes no signal: it is just after an abort that all must be ended. What cannot be
 * ended is not told here, where another failure is told already: whoever asked for the start stops the VM once more.
 * @param known the process that was launched, which may not show by its arguments whose it is
 * @returns whether there were other processes of the VM, which may have stood in the way of this one
 */
export async function abandon(
  machine: Machine,
  vm: VmRecord,
  known: ProcessIdentity | undefined,
): Promise<{ readonly strays: boolean }> {
  try {
    const ended = await endVmm(machine, vm, { graceMs: abandonGraceMs, known });
    await removeSockets(machine, vm);
    return { strays: ended.some(({ pid }) => pid !== known?.pid) };
  } catch (error) {
    machine.logger.warn(
      `what was started of ${vm.name} could not be ended: ${(error as Error).message}`,
    );
    return { strays: false };
  }
}
