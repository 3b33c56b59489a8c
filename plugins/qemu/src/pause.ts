import { SilkError, type VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import type { QmpCaller } from "./qmp/client.ts";
import { runState } from "./run-state.ts";

/** Lets the guest run on; tried twice, since it would stand still for good otherwise. */
export async function resume(machine: Machine, vm: VmRecord, monitor: QmpCaller): Promise<void> {
  try {
    await monitor.execute("cont");
  } catch (first) {
    machine.logger.debug(`${vm.name} did not go on: ${(first as Error).message}`);
    if ((await runState(monitor)) !== "running") await monitor.execute("cont");
  }
}

/**
 * Lets the guest run on after a failure.
 * @throws SilkError `RESUME_FAILED`, which tells of the failure too
 */
export async function resumeAfter(
  machine: Machine,
  vm: VmRecord,
  monitor: QmpCaller,
  failure: unknown,
): Promise<void> {
  try {
    await resume(machine, vm, monitor);
  } catch (error) {
    throw new SilkError(
      `the VM ${vm.name} was paused to be saved, and could not be resumed: ${(error as Error).message}`,
      {
        code: "RESUME_FAILED",
        kind: "failed",
        hint: "The next command on it tries again; if that does not help, end it: silk vm stop --force",
        details: { id: vm.id, because: (failure as Error).message },
        cause: failure,
      },
    );
  }
}
