import {
  endVmm,
  logEnd,
  type OperationContext,
  readLogSince,
  SilkError,
  type SpawnedProcess,
  type VmRecord,
  type VmRuntime,
} from "@silkvm/core";
import { findVmm, type Machine, places, vmmCommand, vmmVersion } from "./machine.ts";

const pollMs = 10;

/** Launches the VMM and waits until the guest runs. Where it throws, nothing of it runs any more. */
export async function start(
  machine: Machine,
  vm: VmRecord,
  context: OperationContext,
): Promise<VmRuntime> {
  const { host, paths } = machine;
  const { logPath, apiSocketPath } = paths(vm);
  const [command, ...args] = vmmCommand(machine, vm);
  const logBegan = await logEnd(host, logPath);
  context.progress("launching the VMM");
  try {
    const vmm = await host.processes.spawn({ command, args, logPath });
    await untilGuestRuns(machine, vm, vmm, logBegan, context);
    return {
      vmm: vmm.identity,
      vmmVersion,
      apiSocketPath,
      startedAt: new Date(host.clock.now()).toISOString(),
    };
  } catch (error) {
    await endVmm({ host, findVmm: (which) => findVmm(machine, which) }, vm, { graceMs: 0 });
    await host.files.remove(places(machine, vm).console);
    throw error;
  }
}

/** The guest runs once its console takes connections. */
async function untilGuestRuns(
  machine: Machine,
  vm: VmRecord,
  vmm: SpawnedProcess,
  logBegan: number,
  { signal }: OperationContext,
): Promise<void> {
  const { host, paths, startTimeoutMs } = machine;
  const deadline = host.clock.monotonicMs() + startTimeoutMs;
  while (!(await guestRuns(machine, vm))) {
    signal?.throwIfAborted();
    if (!host.processes.isAlive(vmm.identity)) {
      const log = await readLogSince(host, paths(vm).logPath, logBegan);
      throw new SilkError(`the VMM of ${vm.name} has ended: ${log.at(-1) ?? "it wrote nothing"}`, {
        code: "VMM_EXITED",
        kind: "failed",
        hint: `silk vm logs ${vm.name} has what it wrote.`,
        details: { log },
      });
    }
    if (host.clock.monotonicMs() > deadline)
      throw new SilkError(`the guest of ${vm.name} does not run after ${startTimeoutMs} ms`, {
        code: "START_TIMED_OUT",
        kind: "timeout",
        hint: "silk config set startTimeoutMs gives it more time.",
      });
    await host.clock.delay(pollMs, { signal });
  }
  signal?.throwIfAborted();
}

async function guestRuns(machine: Machine, vm: VmRecord): Promise<boolean> {
  try {
    const stream = await machine.host.connect(places(machine, vm).console);
    stream.on("error", () => {}).destroy();
    return true;
  } catch {
    return false;
  }
}
