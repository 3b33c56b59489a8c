import type { VmRecord } from "@silkvm/core";
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
