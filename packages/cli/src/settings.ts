import type { EngineConfig, Host, LoadedConfig } from "@silkvm/core";
import type { GlobalFlags } from "./flags/global.ts";

/** The settings of this run: defaults, the file, the environment, the flags. */
export async function loadSettings(flags: GlobalFlags, host: Host): Promise<LoadedConfig> {
  const { loadConfig } = await import("@silkvm/core");
  const given: [keyof EngineConfig, string | undefined][] = [
    ["rootDir", flags["root-dir"]],
    ["runDir", flags["run-dir"]],
    ["logDir", flags["log-dir"]],
    ["logLevel", flags["log-level"]],
  ];
  return await loadConfig(host.files, {
    path: flags.config,
    env: process.env,
    flags: Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    uid: host.facts.uid,
    cwd: process.cwd(),
  });
}
