import { SilkError } from "../errors.ts";
import type { CallOptions, ProcessExit, SpawnedProcess } from "../host.ts";
import type { BackendContext } from "../hypervisor.ts";
import type { VmRecord, VmRuntime } from "../vm/record.ts";
import { abandonVmm } from "./abandon-vmm.ts";
import type { VmmFinder } from "./end-vmm.ts";
import { logEnd, readLogSince } from "./log-tail.ts";
import { vmmNotFound, type VmmProgram } from "./vmm-program.ts";

/** What is known of a launch that failed. */
export interface LaunchEvidence {
  /** What it means: begins the message. */
  readonly what: string;
  /** What the VMM answered as it refused, outermost first; empty where it refused nothing. */
  readonly refusal: readonly string[];
  /** Whether its process has ended. */
  readonly ended: boolean;
  /** End of the log of this launch. */
  readonly log: readonly string[];
  readonly exit?: ProcessExit | undefined;
  readonly cause?: unknown;
  /** Whether other processes of the VM were found and ended after it. */
  readonly strays?: boolean | undefined;
}

/** The VMM refused the VM, or ended before the guest ran: for the backend to make an error of, that tells what it means. */
export class VmmEnded extends Error {
  readonly evidence: LaunchEvidence;

  constructor(evidence: LaunchEvidence) {
    super(evidence.what, { cause: evidence.cause });
    this.evidence = evidence;
  }
}

/** What an error of a VMM's API says of the VMM. */
export type VmmTrouble =
  | { readonly kind: "refused"; readonly refusal: readonly string[] }
  /** It did not answer in time. */
  | { readonly kind: "timed out" }
  /** Nobody serves its API any more: its process ends in a moment. */
  | { readonly kind: "hung up" };

/** A VMM whose process was started. */
export interface LaunchedVmm {
  readonly isRunning: () => boolean;
  /** For each call and each wait: what is left of the time. */
  readonly options: () => CallOptions & { readonly timeoutMs: number };
  /** Looks again and again, until there is something. Throws where the process has ended, or the time is over. */
  readonly until: <T>(
    look: (options: CallOptions & { readonly timeoutMs: number }) => Promise<T | false | undefined>,
  ) => Promise<T>;
}

/** The guest did not run in time. */
class TimeIsUp extends Error {}

/** How a VMM is launched, and what is done with it until its guest runs. */
export interface VmmLaunch {
  readonly program: VmmProgram;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** How long it may take until the guest runs. */
  readonly timeoutMs: number;
  /** What it means when the VMM refuses, or ends: begins the error's message. */
  readonly failure: string;
  /** Waits for the VMM's API, makes the guest run, and gives the VMM's version. */
  readonly bringUp: (vmm: LaunchedVmm) => Promise<string>;
  /** What an error of `bringUp`'s own says of the VMM; undefined where it says nothing. */
  readonly troubleOf?: ((error: unknown) => VmmTrouble | undefined) | undefined;
  /** Removes what the VMM leaves in the run directory, once all of its processes are dead. */
  readonly removeSockets: () => Promise<void>;
}

/** What a launch needs of a backend. */
export type Launcher = VmmFinder & Pick<BackendContext, "logger" | "paths">;

/** How long a VMM that closed its socket may take until its process has ended and its log is complete. */
const lastWordsMs = 2_000;
const lookAgainMs = 5;

/**
 * Launches a VM's VMM once, in the network namespace of its NICs. Where it throws, no process of the VM lives any more.
 * @throws VmmEnded, SilkError `VMM_NOT_FOUND`, `START_TIMED_OUT`; errors of `bringUp` and of the host
 */
export async function launchVmm(
  launcher: Launcher,
  vm: VmRecord,
  launch: VmmLaunch,
  { signal }: CallOptions,
): Promise<VmRuntime> {
  const { host, paths } = launcher;
  const { logPath, apiSocketPath } = paths(vm);
  const logOffset = await logEnd(host, logPath);
  let spawned: SpawnedProcess | undefined;
  try {
    spawned = await spawn(launcher, vm, launch);
    const startedAt = new Date(host.clock.now()).toISOString();
    const vmmVersion = await launch.bringUp(launched(launcher, spawned, launch, signal));
    return { vmm: spawned.identity, vmmVersion, apiSocketPath, startedAt };
  } catch (error) {
    const told =
      spawned === undefined
        ? error
        : await tell(launcher, vm, { launch, spawned, logOffset, error });
    const { strays } = await abandonVmm(launcher, vm, spawned?.identity, launch.removeSockets);
    throw told instanceof VmmEnded && strays ? new VmmEnded({ ...told.evidence, strays }) : told;
  }
}

async function spawn(
  { host, paths }: Launcher,
  vm: VmRecord,
  { program, args, env }: VmmLaunch,
): Promise<SpawnedProcess> {
  try {
    return await host.processes.spawn({
      command: program.command,
      args,
      env,
      logPath: paths(vm).logPath,
      netnsPath: vm.nics[0]?.netnsPath,
    });
  } catch (error) {
    const isMissing = (error as { code?: unknown }).code === "ENOENT";
    throw isMissing ? vmmNotFound(program, { cause: error }) : error;
  }
}

function launched(
  launcher: Launcher,
  spawned: SpawnedProcess,
  { timeoutMs }: VmmLaunch,
  signal: AbortSignal | undefined,
): LaunchedVmm {
  const { clock } = launcher.host;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  const options = () => ({ signal, timeoutMs: Math.max(1, deadlineMs - clock.monotonicMs()) });
  return {
    isRunning: () => isRunning(launcher, spawned),
    options,
    async until(look) {
      for (;;) {
        const found = await look(options());
        if (found !== undefined && found !== false) return found;
        if (!isRunning(launcher, spawned)) throw new Error("the VMM has ended");
        if (clock.monotonicMs() >= deadlineMs) throw new TimeIsUp();
        await clock.delay(lookAgainMs, { signal });
      }
    },
  };
}

function isRunning({ host }: Launcher, spawned: SpawnedProcess): boolean {
  return spawned.exit === undefined && host.processes.isAlive(spawned.identity);
}

/** The error for a launch that failed, with what the VMM left of itself: its exit, and what this launch wrote to the log. */
async function tell(
  launcher: Launcher,
  vm: VmRecord,
  failed: {
    readonly launch: VmmLaunch;
    readonly spawned: SpawnedProcess;
    readonly logOffset: number;
    readonly error: unknown;
  },
): Promise<unknown> {
  const { launch, spawned, logOffset, error } = failed;
  const { host, paths } = launcher;
  const trouble: VmmTrouble | undefined =
    error instanceof TimeIsUp ? { kind: "timed out" } : launch.troubleOf?.(error);
  if (trouble?.kind === "hung up" || !isRunning(launcher, spawned))
    await host.processes
      .waitForExit(spawned.identity, { timeoutMs: lastWordsMs })
      .catch((unseen: unknown) => {
        launcher.logger.debug(`the VMM's end was not seen: ${(unseen as Error).message}`);
      });
  const ended = !isRunning(launcher, spawned);
  if (!ended && (trouble === undefined || trouble.kind === "hung up")) return error;
  const log = await readLogSince(host, paths(vm).logPath, logOffset).catch((unread: unknown) => {
    launcher.logger.debug(`the VMM's log could not be read: ${(unread as Error).message}`);
    return [];
  });
  if (trouble?.kind === "timed out") return startTimedOut(vm, launch.timeoutMs, log, error);
  return new VmmEnded({
    what: launch.failure,
    refusal: trouble?.kind === "refused" ? trouble.refusal : [],
    ended,
    log,
    exit: spawned.exit,
    cause: error,
  });
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
