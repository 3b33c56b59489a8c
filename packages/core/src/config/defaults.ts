import { isAbsolute, join } from "node:path";
import type { EngineConfig } from "./schema.ts";

/** The settings of a user who has set nothing: root's are system-wide, everybody else's are under the XDG directories. */
export function defaultConfig(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): EngineConfig {
  return { ...defaultDirectories(env, uid), ...fixedDefaults };
}

const fixedDefaults = {
  backend: "auto",
  chBinary: "cloud-hypervisor",
  chFirmware: "",
  qemuBinary: "qemu-system-x86_64",
  qemuMachine: "q35",
  qemuAccel: "auto",
  virtiofsd: "virtiofsd",
  logLevel: "warn",
  stopGraceMs: 30_000,
  startTimeoutMs: 60_000,
  hookTimeoutMs: 30_000,
  concurrency: 16,
  plugins: [],
  requiredPlugins: [],
} as const satisfies Omit<EngineConfig, "rootDir" | "runDir" | "logDir">;

function defaultDirectories(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): Pick<EngineConfig, "rootDir" | "runDir" | "logDir"> {
  if (uid === 0) return { rootDir: "/var/lib/silk", runDir: "/run/silk", logDir: "/var/log/silk" };
  const home = env["HOME"] ?? "/";
  const data = xdgDirectory(env, "XDG_DATA_HOME") ?? join(home, ".local/share");
  const state = xdgDirectory(env, "XDG_STATE_HOME") ?? join(home, ".local/state");
  // Without a login session there is no XDG_RUNTIME_DIR; /tmp is the place that is left, named for its user.
  const run = xdgDirectory(env, "XDG_RUNTIME_DIR");
  return {
    rootDir: join(data, "silk"),
    runDir: run === undefined ? `/tmp/silk-${uid}` : join(run, "silk"),
    logDir: join(state, "silk/log"),
  };
}

/** Where the configuration file is looked for when none is named. */
export function defaultConfigPath(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): string {
  if (uid === 0) return "/etc/silk/config.json";
  const config = xdgDirectory(env, "XDG_CONFIG_HOME") ?? join(env["HOME"] ?? "/", ".config");
  return join(config, "silk/config.json");
}

/** A relative path counts as not set, as the XDG specification has it: it would mean another directory in each working directory. */
function xdgDirectory(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  const path = env[name];
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
