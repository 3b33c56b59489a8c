import type { VmmProbe } from "@silkvm/core";
import type { CheckContext, Patient } from "./context.ts";
import { findDistribution } from "./distribution.ts";
import type { Check, Finding, Outcome } from "./finding.ts";
import { orAfter } from "./or-after.ts";
import { directoryResponds } from "./responds.ts";

const guide = "https://github.com/silkvm/silk/blob/main/docs/troubleshooting.md";

export interface CheckOptions {
  readonly signal?: AbortSignal | undefined;
  /** What one check may take. Default 5,000. */
  readonly checkTimeoutMs?: number | undefined;
}

const defaultTimeoutMs = 5_000;

/** What a check that was given up has to clean up after itself; a program that it runs is killed after a second of grace. */
const cleanupMs = 1_500;

/** Runs checks side by side, each under its own deadline. In the order of the checks, however long each takes. */
export async function runChecks(
  checks: readonly Check[],
  patient: Patient,
  options: CheckOptions = {},
): Promise<readonly Finding[]> {
  options.signal?.throwIfAborted();
  const end = new AbortController();
  const signals = [end.signal, ...(options.signal === undefined ? [] : [options.signal])];
  const { context, settled } = await contextFor(patient, AbortSignal.any(signals), options);
  const started = checks.map((check) => startCheck(check, context, options));
  try {
    const outcomes = await Promise.all(started.map(({ outcome }) => outcome));
    return outcomes.map((outcome, index) => describe(checks[index] as Check, outcome));
  } finally {
    // What was given up is told to end, so that no program that it runs is left behind.
    end.abort();
    const ended = Promise.allSettled([...started.map(({ work }) => work), settled()]);
    await orAfter(ended, cleanupMs, patient.host.clock);
  }
}

/** What the checks of one run share, and a promise that ends with the last that they asked for together. */
export async function contextFor(
  patient: Patient,
  signal: AbortSignal,
  { checkTimeoutMs = defaultTimeoutMs }: CheckOptions,
): Promise<{ readonly context: CheckContext; readonly settled: () => Promise<unknown> }> {
  const { host, engine } = patient;
  // Half of it, so that the check is left the time to say so.
  const answers = remembered((directory) =>
    directoryResponds(host, directory, checkTimeoutMs / 2, signal),
  );
  const probes = remembered(async (backend): Promise<VmmProbe> => {
    if (engine === undefined) throw new Error("there is no engine to ask");
    return await (await engine.backend(backend)).probe({ signal });
  });
  const context: CheckContext = {
    ...patient,
    signal,
    distribution: await findDistribution(host.files),
    choice: await engine?.defaultBackend().catch(() => undefined),
    responds: answers.ask,
    probe: probes.ask,
  };
  return { context, settled: () => Promise.allSettled([...answers.all(), ...probes.all()]) };
}

interface StartedCheck {
  /** Comes by the deadline; fails only when the user gives up. */
  readonly outcome: Promise<Outcome>;
  /** Ends when nothing of the check runs any more. */
  readonly work: Promise<unknown>;
}

function startCheck(
  check: Check,
  context: CheckContext,
  { signal, checkTimeoutMs = defaultTimeoutMs }: CheckOptions,
): StartedCheck {
  const deadline = new AbortController();
  // Referenced, unlike the timer of AbortSignal.timeout: a check that waits for nothing that keeps the program alive ends by it too.
  const timer = setTimeout(() => deadline.abort(), checkTimeoutMs);
  const end = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
  const work = check.run({ ...context, signal: end });
  const decide = async (): Promise<Outcome> => {
    using aborted = whenAborted(end);
    try {
      return await Promise.race([work, aborted.promise]);
    } catch (error) {
      signal?.throwIfAborted();
      const late = deadline.signal.aborted ? `no answer within ${checkTimeoutMs} ms` : undefined;
      return unknown(check, late ?? (error instanceof Error ? error.message : String(error)));
    } finally {
      clearTimeout(timer);
    }
  };
  return { outcome: decide(), work };
}

function unknown({ atWorst }: Check, evidence: string): Outcome {
  return {
    status: atWorst ?? "failed",
    evidence,
    why: "It could not be found out.",
    fix: {
      description:
        "Run `silk doctor` again; where it stays so, the guide says how to look by hand.",
      automatic: false,
    },
  };
}

function describe({ id, title, group, anchor }: Check, outcome: Outcome): Finding {
  return { id, title, group, ...outcome, docs: `${guide}#${anchor ?? id}` };
}

/** A promise that only ever fails: with the signal's reason, when it aborts. */
function whenAborted(
  signal: AbortSignal | undefined,
): Disposable & { readonly promise: Promise<never> } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const onAbort = (): void => reject(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  return { promise, [Symbol.dispose]: () => signal?.removeEventListener("abort", onAbort) };
}

/** A question that is asked once for each text. */
function remembered<T>(ask: (key: string) => Promise<T>): {
  readonly ask: (key: string) => Promise<T>;
  readonly all: () => Iterable<Promise<T>>;
} {
  const answers = new Map<string, Promise<T>>();
  return {
    ask: (key) => {
      const answer = answers.get(key) ?? ask(key);
      answers.set(key, answer);
      return answer;
    },
    all: () => answers.values(),
  };
}
