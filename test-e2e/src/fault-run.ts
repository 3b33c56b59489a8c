import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type EngineConfig, type SilkErrorJson, toSilkError, type VmSpec } from "@silkvm/core";
import { type EffectGate, failNth, releasing, withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import type { NthFault } from "./fault-sample.ts";
import { runVerb, type Verb } from "./fault-verbs.ts";
import type { Sandbox } from "./sandbox.ts";

export interface FaultReport {
  readonly ok: boolean;
  /** Names of the effects that it came to, in order. */
  readonly effects: readonly string[];
  readonly error?: SilkErrorJson;
}

/** What a process is told that is to be killed. */
export interface KillRequest {
  readonly config: Partial<EngineConfig> & Pick<EngineConfig, "rootDir">;
  readonly verb: Verb;
  readonly spec: VmSpec;
  readonly nth: number;
}

/** Runs a verb without a fault, to count its effects. */
export function runFaultless(sandbox: Sandbox, verb: Verb, spec: VmSpec): Promise<FaultReport> {
  return runHere(sandbox, verb, spec, () => undefined);
}

/** Runs a verb with a fault. Undefined where its process was killed before it could tell. */
export function runFaulty(
  sandbox: Sandbox,
  verb: Verb,
  spec: VmSpec,
  { kind, nth }: NthFault,
): Promise<FaultReport | undefined> {
  return kind === "kill"
    ? runKilled(sandbox, verb, spec, nth)
    : runHere(sandbox, verb, spec, failNth(nth, kind));
}

/** Runs it in this process. */
async function runHere(
  sandbox: Sandbox,
  verb: Verb,
  spec: VmSpec,
  gate: EffectGate,
): Promise<FaultReport> {
  const effects: string[] = [];
  await using locks = new AsyncDisposableStack();
  const host = withGate(releasing(linuxHost(), locks), (effect) => {
    effects.push(effect.name);
    return gate(effect);
  });
  try {
    await using engine = await sandbox.engine(host);
    await runVerb(engine, verb, spec);
    return { ok: true, effects };
  } catch (error) {
    return { ok: false, effects, error: toSilkError(error).toJSON() };
  }
}

const child = fileURLToPath(new URL("fault-child.ts", import.meta.url));
const cache = fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url));

/** Runs it in a process of its own, which is killed at that effect. */
function runKilled(
  { config, env, under = [] }: Sandbox,
  verb: Verb,
  spec: VmSpec,
  nth: number,
): Promise<FaultReport | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<FaultReport | undefined>();
  const request: KillRequest = { config, verb, spec, nth };
  const words = [process.execPath, "--conditions=@silkvm/source", child, JSON.stringify(request)];
  const [command = "", ...args] = [...under, ...words];
  execFile(
    command,
    args,
    {
      env: { ...process.env, ...env, NODE_COMPILE_CACHE: cache },
      timeout: 60_000,
      killSignal: "SIGTERM",
    },
    (error, stdout, stderr) => {
      if (stdout !== "") resolve(JSON.parse(stdout) as FaultReport);
      else if (error?.signal === "SIGKILL") resolve(undefined);
      else reject(new Error(`the child ended without a word: ${error?.message ?? ""} ${stderr}`));
    },
  );
  return promise;
}
