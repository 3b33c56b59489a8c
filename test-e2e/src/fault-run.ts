import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { EngineConfig, SilkErrorJson, VmSpec } from "@silkvm/core";
import type { Verb } from "./fault-verbs.ts";

export interface FaultRequest {
  readonly config: Partial<EngineConfig> & Pick<EngineConfig, "rootDir">;
  readonly verb: Verb;
  readonly spec: VmSpec;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Words that go before the program that runs it. */
  readonly under?: readonly string[] | undefined;
  readonly fault: {
    readonly kind: "none" | "kill" | "ENOSPC" | "EIO" | "EACCES" | "ETIMEDOUT";
    readonly nth: number;
  };
}

export interface FaultReport {
  readonly ok: boolean;
  readonly effects: readonly string[];
  readonly error?: SilkErrorJson;
}

const child = fileURLToPath(new URL("fault-child.ts", import.meta.url));
const cache = fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url));

/** Runs a verb in a process of its own. Undefined where the process was killed before it could tell. */
export function runFaulty(request: FaultRequest): Promise<FaultReport | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<FaultReport | undefined>();
  const words = [
    ...(request.under ?? []),
    process.execPath,
    "--conditions=@silkvm/source",
    child,
    JSON.stringify(request),
  ];
  const [command = process.execPath, ...args] = words;
  const env = { ...process.env, ...request.env, NODE_COMPILE_CACHE: cache };
  execFile(
    command,
    args,
    { env, timeout: 60_000, killSignal: "SIGTERM" },
    (error, stdout, stderr) => {
      if (stdout !== "") resolve(JSON.parse(stdout) as FaultReport);
      else if (error?.signal === "SIGKILL") resolve(undefined);
      else reject(new Error(`the child ended without a word: ${error?.message ?? ""} ${stderr}`));
    },
  );
  return promise;
}
