import { resolve } from "node:path";
import {
  defaultConfigPath,
  type Host,
  loadConfig,
  type SilkError,
  toSilkError,
} from "@silkvm/core";
import type { GlobalFlags } from "../flags/global.ts";
import { loadSettings } from "../settings.ts";
import type { Patient } from "./context.ts";

/** The settings of this run; where they cannot be read, why not, and the best that can be had without what is wrong. */
export async function findSettings(
  flags: GlobalFlags,
  host: Host,
  env: Patient["env"],
): Promise<Pick<Patient, "config" | "configPath" | "configProblem">> {
  try {
    const { config, path } = await loadSettings(flags, host);
    return { config, configPath: path };
  } catch (error) {
    const configProblem = toSilkError(error);
    const named = flags.config ?? (env["SILK_CONFIG"] || undefined);
    const configPath = resolve(named ?? defaultConfigPath(env, host.facts.uid));
    return { ...(await withoutFile(flags, host, env, configProblem)), configPath, configProblem };
  }
}

async function withoutFile(
  flags: GlobalFlags,
  host: Host,
  env: Patient["env"],
  problem: SilkError,
): Promise<Pick<Patient, "config">> {
  const others = Object.entries(env).filter(([name]) => !name.startsWith("SILK_"));
  const own = Object.entries(env).filter(
    ([name]) => name.startsWith("SILK_") && name !== "SILK_CONFIG",
  );
  const directories = Object.fromEntries(
    (["root-dir", "run-dir", "log-dir"] as const).flatMap((flag) => {
      const value = flags[flag];
      return value === undefined || value === "" ? [] : [[flag.replace("-d", "D"), value]];
    }),
  );
  const noFile = {
    readText: () => Promise.reject(Object.assign(new Error("left out"), { code: "ENOENT" })),
  };
  for (const variables of [[...others, ...own], others]) {
    const sources = {
      env: Object.fromEntries(variables),
      flags: directories,
      uid: host.facts.uid,
      cwd: process.cwd(),
    };
    try {
      const { config } = await loadConfig(noFile, sources);
      return { config };
    } catch {
      // The environment is what is wrong: the next round goes without it.
    }
  }
  throw problem;
}
