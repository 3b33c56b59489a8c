import {
  ChApiError,
  ChTimeoutError,
  ChVmmEndedError,
  waitForApi,
  type WaitOptions,
} from "@silkvm/ch-client";
import {
  abandonVmm,
  type CallOptions,
  logEnd,
  readLogSince,
  SilkError,
  type SpawnedProcess,
  type SpawnRequest,
  vmmNotFound,
  type VmRecord,
  type VmRuntime,
} from "@silkvm/core";
import { openWaitingClient } from "./client.ts";
import type { LaunchEvidence } from "./launch-failure.ts";
import type { Machine } from "./machine.ts";
import { removeSockets } from "./remove-sockets.ts";
import { checkVersion } from "./version.ts";
import { errorChain } from "./vmm-log.ts";
import { programHint } from "./vmm-program.ts";

/** The VMM refused the VM, or ended before the guest ran. Made into a SilkError by `launchFailure`. */
export class VmmEnded extends Error {
  readonly evidence: LaunchEvidence;

  constructor(evidence: LaunchEvidence) {
    super("the VMM ended before the guest ran", { cause: evidence.cause });
    this.evidence = evidence;
  }
}

/** How long a VMM that closed its socket may take until its process has ended and its log is complete. */
const lastWordsMs = 2_000;

/** How a VMM is launched, and what is done with it until its guest runs. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** How long it may take until the guest runs. */
  readonly timeoutMs: number;
  /** What it means when the VMM refuses, or ends: begins the error's message. */
  readonly failure: string;
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
export async function launchVmm(
  machine: Machine,
  vm: VmRecord,
  launch: Launch,
  { signal }: CallOptions,
): Promise<VmRuntime> {
  const { host, paths } = machine;
  const { logPath, apiSocketPath } = paths(vm);
  const logOffset = await logEnd(host, logPath);
  let spawned: SpawnedProcess | undefined;
  try {
    spawned = await spawn(machine, {
      command: launch.program,
      args: launch.args,
      // With a backtrace the VMM's errors would end in pages of addresses.
      env: { RUST_BACKTRACE: "0" },
      logPath,
      netnsPath: vm.nics[0]?.netnsPath,
    });
    const startedAt = new Date(host.clock.now()).toISOString();
    const vmmVersion = await bringUp(machine, vm, { launch, spawned, signal });
    return { vmm: spawned.identity, vmmVersion, apiSocketPath, startedAt };
  } catch (error) {
    const told = await tell(machine, vm, { launch, spawned, logOffset, error });
    const { strays } = await abandonVmm(machine, vm, spawned?.identity, () =>
      removeSockets(machine, vm),
    );
    throw told instanceof VmmEnded && strays ? new VmmEnded({ ...told.evidence, strays }) : told;
  }
}

async function spawn({ host }: Machine, request: SpawnRequest): Promise<SpawnedProcess> {
  try {
    return await host.processes.spawn(request);
  } catch (error) {
    const isMissing = (error as { code?: unknown }).code === "ENOENT";
    throw isMissing
      ? vmmNotFound({ command: request.command, hint: programHint }, { cause: error })
      : error;
  }
}

/** Waits until the guest runs, and gives the VMM's version: asked of the VMM itself, which costs less than its `--version`. */
async function bringUp(
  machine: Machine,
  vm: VmRecord,
  launched: CallOptions & { readonly launch: Launch; readonly spawned: SpawnedProcess },
): Promise<string> {
  const { host } = machine;
  const { launch, spawned, signal } = launched;
  const deadlineMs = host.clock.monotonicMs() + launch.timeoutMs;
  const wait = (): WaitOptions => ({
    signal,
    timeoutMs: Math.max(1, deadlineMs - host.clock.monotonicMs()),
    isAlive: () => isRunning(machine, spawned),
  });
  await using client = openWaitingClient(machine, vm);
  const ping = await host.effect("GET vmm.ping", () => waitForApi(client, wait()));
  checkVersion(ping.build_version, launch.program);
  await launch.bringUp({ version: ping.build_version, wait });
  return ping.build_version;
}

function isRunning({ host }: Machine, spawned: SpawnedProcess): boolean {
  return spawned.exit === undefined && host.processes.isAlive(spawned.identity);
}

/** The error for a launch that failed, with what the VMM left of itself: its exit, and what this launch wrote to the log. */
async function tell(
  machine: Machine,
  vm: VmRecord,
  failed: {
    readonly launch: Launch;
    readonly spawned: SpawnedProcess | undefined;
    readonly logOffset: number;
    readonly error: unknown;
  },
): Promise<unknown> {
  const { launch, spawned, logOffset, error } = failed;
  const { host, paths } = machine;
  const what = launch.failure;
  if (spawned === undefined) return error;
  const refusal = ChApiError.is(error) ? error.chain : [];
  const timedOut = ChTimeoutError.is(error);
  const ended = ChVmmEndedError.is(error) || !isRunning(machine, spawned);
  if (!ended && !timedOut && refusal.length === 0) return error;
  try {
    if (ended) await host.processes.waitForExit(spawned.identity, { timeoutMs: lastWordsMs });
    const log = await readLogSince(host, paths(vm).logPath, logOffset);
    if (timedOut) return startTimedOut(vm, launch.timeoutMs, log, error);
    const chain = refusal.length > 0 ? refusal : errorChain(log);
    return new VmmEnded({ what, chain, log, exit: spawned.exit, cause: error });
  } catch (unread) {
    machine.logger.debug(`the VMM's log could not be read: ${(unread as Error).message}`);
    return new VmmEnded({ what, chain: refusal, log: [], exit: spawned.exit, cause: error });
  }
}

function startTimedOut(
  vm: VmRecord,
  timeoutMs: number,
  log: readonly string[],
  cause: unknown,
): SilkError {
  return new SilkError(`the guest of ${vm.name} did not run within ${timeoutMs} ms`, {
    code: "START_TIMED_OUT",
    kind: "timeout",
    hint: "Allow more time with the setting startTimeoutMs; what the VMM wrote is in its log.",
    details: { timeoutMs, log },
    cause,
  });
}
