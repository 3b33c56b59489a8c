import {
  isExpressibleAsArgs,
  launchArgs,
  toVmConfig,
  vmmArgs,
  type VmmLaunch,
  waitForState,
} from "@silkvm/ch-client";
import type { OperationContext, VmRecord, VmRuntime } from "@silkvm/core";
import { checkVmFiles, finishSwap } from "@silkvm/storage";
import { openClient, openWaitingClient } from "./client.ts";
import { launchOf } from "./debug.ts";
import { launch } from "./launch.ts";
import { type LaunchedVmm, launchVmm } from "./launch-vmm.ts";
import type { Machine } from "./machine.ts";
import { restoreDir } from "./snapshot-names.ts";

/** Launches the VMM and waits until the guest runs. Whatever fails, or is aborted: nothing of it runs any more afterwards. */
export async function start(
  machine: Machine,
  vm: VmRecord,
  context: OperationContext,
): Promise<VmRuntime> {
  const { signal, progress } = context;
  signal?.throwIfAborted();
  await clearRestored(machine, vm);
  await checkVmFiles(machine.host, vm);
  const what = `the VM ${vm.name} could not be started`;
  return await launch(machine, vm, { what, signal }, async (program) => {
    progress("starting the VMM");
    const told = launchOf(machine, vm);
    return await launchVmm(
      machine,
      vm,
      {
        program,
        args: isExpressibleAsArgs(told) ? launchArgs(told) : vmmArgs(told),
        timeoutMs: machine.settings.startTimeoutMs,
        failure: "the VMM ended before the guest ran",
        bringUp: (vmm) => boot(machine, vm, told, vmm),
      },
      { signal },
    );
  });
}

/** A VM that boots has no use for what it was restored from, and needs its disks to be of one moment. */
async function clearRestored(machine: Machine, vm: VmRecord): Promise<void> {
  const { host, paths } = machine;
  const left = await host.files.list(paths(vm).dataDir);
  await finishSwap(machine, vm);
  if (left.includes("restore")) await host.files.remove(restoreDir(paths(vm)));
}

/** Waits until the guest has booted; one that the arguments could not express is described to the VMM first. */
async function boot(
  machine: Machine,
  vm: VmRecord,
  told: VmmLaunch,
  { wait }: LaunchedVmm,
): Promise<void> {
  if (!isExpressibleAsArgs(told)) {
    await using gated = openClient(machine, vm);
    await gated.vm.create(toVmConfig(told), wait());
    await gated.vm.boot(wait());
  }
  await using client = openWaitingClient(machine, vm);
  await machine.host.effect("GET vm.info", () => waitForState(client, "Running", wait()));
}
