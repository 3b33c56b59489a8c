import { isNotCreated } from "@silkvm/ch-client";
import {
  abandonGraceMs,
  endVmm,
  type OperationContext,
  recordedVmm,
  unrecordedVmm,
  type VmRecord,
} from "@silkvm/core";
import { finishSwap, stagedDir } from "@silkvm/storage";
import { openClient } from "./client.ts";
import { fromVmm } from "./from-vmm.ts";
import type { Machine } from "./machine.ts";
import { removeSockets } from "./remove-sockets.ts";

/** A VMM that is still writing a snapshot for a silk that died answers when it is done: so long for each GiB of memory, and as long again. */
const answerMsPerGib = 60_000;
const gib = 1024 ** 3;

/** Clears up after a snapshot or a restore of this VM whose owner died. */
export async function recover(
  machine: Machine,
  vm: VmRecord,
  { signal }: OperationContext,
): Promise<void> {
  const { host, paths } = machine;
  const staged = await host.files.stat(stagedDir(paths(vm)));
  if (staged !== undefined) {
    // A VMM that no record names was launched by a restore that did not come to its end.
    if (recordedVmm(machine, vm) === undefined) {
      await endVmm(machine, vm, { graceMs: abandonGraceMs, signal });
      await removeSockets(machine, vm);
    }
    await finishSwap(machine, vm);
  }
  await resumePaused(machine, vm, signal);
}

async function resumePaused(
  machine: Machine,
  vm: VmRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  const vmm = recordedVmm(machine, vm) ?? (await unrecordedVmm(machine, vm));
  if (vmm === undefined) return;
  await using client = openClient(machine, vm);
  try {
    const timeoutMs = Math.ceil(1 + vm.config.memoryBytes / gib) * answerMsPerGib;
    const { state } = await client.vm.info({ timeoutMs, signal });
    if (state === "Paused") await client.vm.resume({ signal });
  } catch (error) {
    if (isNotCreated(error) || !machine.host.processes.isAlive(vmm)) return;
    throw fromVmm(error, `the VM ${vm.name} may be left paused`);
  }
}
