import {
  type CallOptions,
  type Host,
  launchVmm as launchProcess,
  type VmmLaunch,
  type VmmTrouble,
  type VmRecord,
  type VmRuntime,
} from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { removeSockets } from "./remove-sockets.ts";
import { connectTo, type Monitor } from "./monitor.ts";
import type { QmpCallOptions } from "./qmp/client.ts";
import { QmpClosedError, QmpError, QmpTimeoutError } from "./qmp/errors.ts";
import { checkVersion, formatVersion } from "./version.ts";
import { programOf } from "./vmm-program.ts";

/** How a VMM is launched, and what is done with it until its guest runs. */
export interface Launch extends Pick<VmmLaunch, "args" | "timeoutMs" | "failure"> {
  readonly program: string;
  /** Makes the guest run. Called when the monitor answers. */
  readonly bringUp: (vmm: LaunchedVmm) => Promise<void>;
}

/** A VMM whose monitor answers. */
export interface LaunchedVmm {
  readonly monitor: Monitor;
  /** For each call: what is left of the time. */
  readonly options: () => QmpCallOptions;
}

/**
 * Launches the VMM once. Where it throws, no process of the VM lives any more.
 * @throws VmmEnded, SilkError `VMM_NOT_FOUND`, `VMM_TOO_OLD`, `START_TIMED_OUT`; errors of the monitor and of the host
 */
export function launchVmm(
  machine: Machine,
  vm: VmRecord,
  { program, bringUp, ...launch }: Launch,
  options: CallOptions,
): Promise<VmRuntime> {
  const { host, paths } = machine;
  return launchProcess(
    machine,
    vm,
    {
      ...launch,
      program: programOf(machine, program),
      troubleOf,
      removeSockets: () => removeSockets(machine, vm),
      async bringUp(vmm) {
        await using monitor = await host.effect("QMP connect", () =>
          vmm.until((left) => connected(host, paths(vm).apiSocketPath, left)),
        );
        checkVersion(monitor.version, program);
        await bringUp({ monitor, options: vmm.options });
        return formatVersion(monitor.version);
      },
    },
    options,
  );
}

/** QEMU makes its socket before it makes its machine, and answers after it: until then there may be nothing to connect to. */
async function connected(
  host: Host,
  path: string,
  options: QmpCallOptions,
): Promise<Monitor | undefined> {
  try {
    return await connectTo(host, path, options);
  } catch (error) {
    const isEarly =
      error instanceof QmpClosedError && (error.code === "ENOENT" || error.code === "ECONNREFUSED");
    if (isEarly) return undefined;
    throw error;
  }
}

function troubleOf(error: unknown): VmmTrouble | undefined {
  if (error instanceof QmpTimeoutError) return { kind: "timed out" };
  if (error instanceof QmpClosedError) return { kind: "hung up" };
  return error instanceof QmpError ? { kind: "refused", refusal: [error.message] } : undefined;
}
