import {
  abandonGraceMs,
  endVmm,
  type OperationContext,
  recordedVmm,
  unrecordedVmm,
  type VmRecord,
} from "@silkvm/core";
import { finishSwap, stagedDir } from "@silkvm/storage";
import { fromQmp } from "./from-qmp.ts";
import type { Machine } from "./machine.ts";
import { giveUp } from "./migration.ts";
import { openMonitor } from "./monitor.ts";
import { removeSockets } from "./remove-sockets.ts";
import { runState, standsStill } from "./run-state.ts";

/** Clears up after a snapshot or a restore of this VM whose owner died. */
export async function recover(
  machine: Machine,
  vm: VmRecord,
  { signal }: OperationContext,
): Promise<void> {
  const { host, paths } = machine;
  const staged = await host.files.stat(stagedDir(paths(vm)));
  // A VMM that no record names was launched by somebody who did not come to the end.
  if (recordedVmm(machine, vm) === undefined && (await unrecordedVmm(machine, vm)) !== undefined) {
    await endVmm(machine, vm, { graceMs: abandonGraceMs, signal });
    await removeSockets(machine, vm);
  }
  if (staged !== undefined) await finishSwap(machine, vm);
  await resumePaused(machine, vm, signal);
}

async function resumePaused(
  machine: Machine,
  vm: VmRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  const vmm = recordedVmm(machine, vm);
  if (vmm === undefined) return;
  try {
    await using monitor = await openMonitor(machine, vm, { signal });
    const state = await runState(monitor, { signal });
    if (!standsStill(state)) return;
    await machine.host.effect("QMP migrate_cancel", () => giveUp(machine.host, monitor.waiting));
    await monitor.execute("cont", undefined, { signal });
  } catch (error) {
    if (!machine.host.processes.isAlive(vmm)) return;
    throw fromQmp(error, `the VM ${vm.name} may be left paused`);
  }
}
