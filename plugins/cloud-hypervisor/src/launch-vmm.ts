import {
  ChApiError,
  ChTimeoutError,
  ChVmmEndedError,
  waitForApi,
  type WaitOptions,
} from "@silkvm/ch-client";
import {
  type CallOptions,
  launchVmm as launchProcess,
  type VmmLaunch,
  type VmmTrouble,
  type VmRecord,
  type VmRuntime,
} from "@silkvm/core";
import { openWaitingClient } from "./client.ts";
import type { Machine } from "./machine.ts";
import { removeSockets } from "./remove-sockets.ts";
import { checkVersion } from "./version.ts";
import { programOf } from "./vmm-program.ts";

/** How a VMM is launched, and what is done with it until its guest runs. */
export interface Launch extends Pick<VmmLaunch, "args" | "timeoutMs" | "failure"> {
  readonly program: string;
  /** Makes the guest run. Called when the API answers. */
  readonly bringUp: (vmm: LaunchedVmm) => Promise<void>;
}

/** A VMM whose API answers. */
export interface LaunchedVmm {
  readonly version: string;
  /** For each call and each wait: what is left of the time, and whether there is something to wait for. */
  readonly wait: () => WaitOptions;
}

/**
 * Launches the VMM once. Where it throws, no process of the VM lives any more.
 * @throws VmmEnded, SilkError `VMM_NOT_FOUND`, `VMM_TOO_OLD`, `START_TIMED_OUT`; errors of ch-client and of the host
 */
export function launchVmm(
  machine: Machine,
  vm: VmRecord,
  { program, bringUp, ...launch }: Launch,
  options: CallOptions,
): Promise<VmRuntime> {
  const { host } = machine;
  return launchProcess(
    machine,
    vm,
    {
      ...launch,
      program: programOf(machine, program),
      // With a backtrace the VMM's errors would end in pages of addresses.
      env: { RUST_BACKTRACE: "0" },
      troubleOf,
      removeSockets: () => removeSockets(machine, vm),
      async bringUp(vmm) {
        const wait = (): WaitOptions => ({ ...vmm.options(), isAlive: vmm.isRunning });
        await using client = openWaitingClient(machine, vm);
        // Asked of the VMM itself, which costs less than its `--version`.
        const ping = await host.effect("GET vmm.ping", () => waitForApi(client, wait()));
        const version = ping.build_version;
        checkVersion(version, program);
        await bringUp({ version, wait });
        return version;
      },
    },
    options,
  );
}

function troubleOf(error: unknown): VmmTrouble | undefined {
  if (ChTimeoutError.is(error)) return { kind: "timed out" };
  if (ChVmmEndedError.is(error)) return { kind: "hung up" };
  return ChApiError.is(error) ? { kind: "refused", refusal: error.chain } : undefined;
}
