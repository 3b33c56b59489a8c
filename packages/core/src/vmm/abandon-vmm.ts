import type { ProcessIdentity } from "../host.ts";
import type { Logger } from "../logger.ts";
import type { VmRecord } from "../vm/record.ts";
import { endVmm, type VmmFinder } from "./end-vmm.ts";

/** How long a VMM that nobody wants any more may take to close its disks. */
export const abandonGraceMs = 1_000;

/**
 * Ends what is left of a launch that failed. It takes no signal: it is just after an abort that all must be ended. What cannot be
 * ended is not told here, where another failure is told already: whoever asked for the start stops the VM once more.
 * @param known the process that was launched, which may not show by its arguments whose it is
 * @param removeSockets removes what the VMM leaves in the run directory, once all of its processes are dead
 * @returns whether there were other processes of the VM, which may have stood in the way of this one
 */
export async function abandonVmm(
  finder: VmmFinder & { readonly logger: Logger },
  vm: VmRecord,
  known: ProcessIdentity | undefined,
  removeSockets: () => Promise<void>,
): Promise<{ readonly strays: boolean }> {
  try {
    const ended = await endVmm(finder, vm, { graceMs: abandonGraceMs, known });
    await removeSockets();
    return { strays: ended.some(({ pid }) => pid !== known?.pid) };
  } catch (error) {
    finder.logger.warn(
      `what was started of ${vm.name} could not be ended: ${(error as Error).message}`,
    );
    return { strays: false };
  }
}
