import type { ChClient } from "@silkvm/ch-client";
import {
  endVmm,
  hearsPowerButton,
  livingVmms,
  type OperationContext,
  type ProcessIdentity,
  type StopRequest,
  type VmRecord,
} from "@silkvm/core";
import { openClient } from "./client.ts";
import type { Machine } from "./machine.ts";
import { restoreDir } from "./snapshot-names.ts";
import { removeSockets } from "./remove-sockets.ts";

/** How long the VMM may take to answer that it switches the guest off, and how long to end after SIGTERM. */
const shutdownMs = 5_000;
const termGraceMs = 5_000;
const powerButtonMs = 2_000;

/**
 * Ends the VM. A guest that came up by firmware, or is a container's, is asked by the power button and given time; another one that was booted
 * directly has nobody who listens to the button, and is switched off. Then, or by force: `vm.shutdown`, SIGTERM, SIGKILL.
 */
export async function stop(
  machine: Machine,
  vm: VmRecord,
  request: StopRequest,
  context: OperationContext,
): Promise<void> {
  const { signal } = context;
  signal?.throwIfAborted();
  const [vmm] = await livingVmms(machine, vm);
  if (vmm !== undefined) {
    await using client = openClient(machine, vm);
    const asked = hearsPowerButton(vm) && !request.force && request.graceMs > 0;
    const done = asked && (await askGuest(machine, client, vmm, request.graceMs, context));
    if (!done) await switchOff(client, context);
  }
  await endVmm(machine, vm, { graceMs: termGraceMs, signal });
  await removeSockets(machine, vm);
  // A VM that boots has its memory from nobody.
  await machine.host.files.remove(restoreDir(machine.paths(vm)));
}

/** Presses the power button and waits. False where the guest did not shut down in time, or nobody could press it. */
async function askGuest(
  { host, logger }: Machine,
  client: ChClient,
  vmm: ProcessIdentity,
  graceMs: number,
  { progress, signal }: OperationContext,
): Promise<boolean> {
  progress("asking the guest to shut down");
  try {
    await client.vm.powerButton({ timeoutMs: powerButtonMs, signal });
  } catch (error) {
    signal?.throwIfAborted();
    logger.debug(`the power button could not be pressed: ${(error as Error).message}`);
    return false;
  }
  return await host.processes.waitForExit(vmm, { timeoutMs: graceMs, signal });
}

/** Has the VMM switch the guest off and close its disks. Whatever comes of it, the process is ended next. */
async function switchOff(client: ChClient, { progress, signal }: OperationContext): Promise<void> {
  progress("switching the guest off");
  try {
    await client.vm.shutdown({ timeoutMs: shutdownMs, signal });
  } catch {
    // It may be ending already, hang, or have no VM: none of that matters to what follows, but an abort does.
    signal?.throwIfAborted();
  }
}
