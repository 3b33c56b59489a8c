import {
  endVmm,
  hearsPowerButton,
  livingVmms,
  type OperationContext,
  type ProcessIdentity,
  type StopRequest,
  type VmRecord,
} from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { openMonitor } from "./monitor.ts";
import type { QmpCaller } from "./qmp/client.ts";
import { removeSockets } from "./remove-sockets.ts";

/** How long the VMM may take to let us in, to take the button's press, and to end after SIGTERM. */
const turnMs = 2_000;
const powerButtonMs = 2_000;
const quitMs = 5_000;
const termGraceMs = 5_000;

/**
 * Ends the VM. A guest that came up by firmware, or is a container's, is asked by the power button and given time; another one that was booted directly has nobody who
 * listens to the button, and is switched off. Then, or by force: `quit`, SIGTERM, SIGKILL.
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
  if (vmm !== undefined) await ask(machine, vm, { ...request, vmm }, context);
  await endVmm(machine, vm, { graceMs: termGraceMs, signal });
  await removeSockets(machine, vm);
}

/** Asks the guest where that is of use, and then the VMM. Whatever comes of it, the process is ended next. */
async function ask(
  machine: Machine,
  vm: VmRecord,
  { force, graceMs, vmm }: StopRequest & { readonly vmm: ProcessIdentity },
  context: OperationContext,
): Promise<void> {
  const { signal } = context;
  try {
    await using monitor = await openMonitor(machine, vm, { signal, timeoutMs: turnMs });
    const asks = hearsPowerButton(vm) && !force && graceMs > 0;
    if (asks && (await pressButton(machine, monitor, vmm, graceMs, context))) return;
    context.progress("switching the guest off");
    await monitor.execute("quit", undefined, { timeoutMs: quitMs, signal });
    await machine.host.processes.waitForExit(vmm, { timeoutMs: quitMs, signal });
  } catch (error) {
    // It may be ending already, hang, or talk to somebody else: none of that matters to what follows, but an abort does.
    signal?.throwIfAborted();
    machine.logger.debug(
      `the VMM of ${vm.name} could not be asked to end: ${(error as Error).message}`,
    );
  }
}

/** Presses the power button and waits. False where the guest did not shut down in time. */
async function pressButton(
  { host }: Machine,
  monitor: QmpCaller,
  vmm: ProcessIdentity,
  graceMs: number,
  { progress, signal }: OperationContext,
): Promise<boolean> {
  progress("asking the guest to shut down");
  await monitor.execute("system_powerdown", undefined, { timeoutMs: powerButtonMs, signal });
  return await host.processes.waitForExit(vmm, { timeoutMs: graceMs, signal });
}
