import type { OperationContext, VmRecord, VmRuntime } from "@silkvm/core";
import { checkVmFiles, finishSwap } from "@silkvm/storage";
import { launch } from "./launch.ts";
import { type LaunchedVmm, launchVmm } from "./launch-vmm.ts";
import type { Machine } from "./machine.ts";
import { runState } from "./run-state.ts";
import { isMicrovm } from "./settings.ts";
import { shapeOf } from "./shape.ts";
import { makeUefiVars } from "./uefi-vars.ts";
import { vmArgs } from "./vm-args.ts";

const lookAgainMs = 5;

/** Launches the VMM and waits until the guest runs. Whatever fails, or is aborted: nothing of it runs any more afterwards. */
export async function start(
  machine: Machine,
  vm: VmRecord,
  context: OperationContext,
): Promise<VmRuntime> {
  const { host, paths, settings } = machine;
  const { signal, progress, warn } = context;
  signal?.throwIfAborted();
  await finishSwap(machine, vm);
  await checkVmFiles(host, vm);
  await makeUefiVars(machine, vm);
  const what = `the VM ${vm.name} could not be started`;
  return await launch(machine, vm, { what, signal, warn }, async ({ program, accel, buffered }) => {
    progress("starting the VMM");
    if (isMicrovm(settings.qemuMachine) && accel === "tcg")
      warn(
        "without KVM a microvm has no clock that Linux could go by: give its --cmdline tsc_early_khz=2000000, or use the machine q35",
      );
    const shape = await shapeOf(machine, vm, { accel, buffered });
    return await launchVmm(
      machine,
      vm,
      {
        program,
        args: vmArgs(vm, paths(vm), shape),
        timeoutMs: settings.startTimeoutMs,
        failure: "the VMM ended before the guest ran",
        bringUp: (vmm) => host.effect("QMP running", () => untilRunning(machine, vmm)),
      },
      { signal },
    );
  });
}

/** Waits until the guest runs. */
export async function untilRunning(
  { host }: Machine,
  { monitor, options }: LaunchedVmm,
): Promise<void> {
  while ((await runState(monitor.waiting, options())) !== "running")
    await host.clock.delay(lookAgainMs, { signal: options().signal });
}
