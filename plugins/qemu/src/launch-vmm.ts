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
import type { LaunchEvidence } from "./launch-failure.ts";
import type { Machine } from "./machine.ts";
import { removeSockets } from "./remove-sockets.ts";
import { connectTo, type Monitor } from "./monitor.ts";
import type { QmpCallOptions } from "./qmp/client.ts";
import { QmpClosedError, QmpError, QmpTimeoutError } from "./qmp/errors.ts";
import { checkVersion, formatVersion } from "./version.ts";
import { programHint } from "./vmm-program.ts";

/** The VMM refused the VM, or ended before the guest ran. Made into a SilkError by `launchFailure`. */
export class VmmEnded extends Error {
  readonly evidence: LaunchEvidence;

  constructor(evidence: LaunchEvidence) {
    super(evidence.what, { cause: evidence.cause });
    this.evidence = evidence;
  }
}

/** How long a VMM that closed its socket may take until its process has ended and its log is complete. */
const lastWordsMs = 2_000;
const lookAgainMs = 5;

/** How a VMM is launched, and what is done with it until its guest runs. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** How long it may take until the guest runs. */
  readonly timeoutMs: number;
  /** What it means when the VMM refuses, or ends: begins the error's message. */
  readonly failure: string;
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

/** Waits until the guest runs, and gives the VMM's version. */
async function bringUp(
  machine: Machine,
  vm: VmRecord,
  launched: CallOptions & { readonly launch: Launch; readonly spawned: SpawnedProcess },
): Promise<string> {
  const { host } = machine;
  const { launch, spawned, signal } = launched;
  const deadlineMs = host.clock.monotonicMs() + launch.timeoutMs;
  const options = (): QmpCallOptions => ({
    signal,
    timeoutMs: Math.max(1, deadlineMs - host.clock.monotonicMs()),
  });
  await using monitor = await host.effect("QMP connect", () =>
    whenListening(machine, vm, spawned, options),
  );
  checkVersion(monitor.version, launch.program);
  await launch.bringUp({ monitor, options });
  return formatVersion(monitor.version);
}

/** QEMU makes its socket before it makes its machine, and answers after it: until then there may be nothing to connect to. */
async function whenListening(
  machine: Machine,
  vm: VmRecord,
  spawned: SpawnedProcess,
  options: () => QmpCallOptions,
): Promise<Monitor> {
  const { host, paths } = machine;
  const path = paths(vm).apiSocketPath;
  for (;;) {
    const { signal, timeoutMs = 0 } = options();
    try {
      return await connectTo(host, path, { signal, timeoutMs });
    } catch (error) {
      const isEarly =
        error instanceof QmpClosedError &&
        (error.code === "ENOENT" || error.code === "ECONNREFUSED");
      if (!isEarly || !isRunning(machine, spawned)) throw error;
      if (timeoutMs <= 1) throw new QmpTimeoutError("QMP", timeoutMs);
      await host.clock.delay(lookAgainMs, { signal });
    }
  }
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
  const refusal = error instanceof QmpError ? error.message : undefined;
  const timedOut = error instanceof QmpTimeoutError;
  const hungUp = error instanceof QmpClosedError;
  if (hungUp) await host.processes.waitForExit(spawned.identity, { timeoutMs: lastWordsMs });
  const ended = !isRunning(machine, spawned);
  if (!ended && !timedOut && refusal === undefined) return error;
  try {
    const log = await readLogSince(host, paths(vm).logPath, logOffset);
    if (timedOut) return startTimedOut(vm, launch.timeoutMs, log, error);
    return new VmmEnded({
      what,
      refusal: ended ? undefined : refusal,
      log,
      exit: spawned.exit,
      cause: error,
    });
  } catch (unread) {
    machine.logger.debug(`the VMM's log could not be read: ${(unread as Error).message}`);
    return new VmmEnded({ what, refusal, log: [], exit: spawned.exit, cause: error });
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
