import { dirname, resolve } from "node:path";
import { defaultConfig, defaultConfigPath } from "@silkvm/core";
import { readIfThere } from "./environment.ts";

/** Settings whose value is any text that is not empty, and that a list of VMs does not depend on but for the root directory. */
const texts: ReadonlySet<string> = new Set([
  "rootDir",
  "runDir",
  "logDir",
  "backend",
  "chBinary",
  "chFirmware",
  "qemuBinary",
  "qemuMachine",
  "virtiofsd",
]);

/** Settings whose value is a number of milliseconds, of no matter to a list of VMs. */
const times: ReadonlySet<string> = new Set(["stopGraceMs", "startTimeoutMs", "hookTimeoutMs"]);

/**
 * The root directory, by the environment, the configuration file and the default as `loadConfig` of core takes it. Undefined where
 * the file holds anything that is not known here to be right, and to be of no matter to a list.
 */
export function findRootDir(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): string | undefined {
  const named = env["SILK_CONFIG"] || undefined;
  const path = resolve(named ?? defaultConfigPath(env, uid));
  const text = readIfThere(path);
  if (text === undefined && named !== undefined) return undefined;
  const file = text === undefined ? {} : readConfig(text);
  if (file === undefined) return undefined;
  if (env["SILK_ROOT_DIR"]) return resolve(env["SILK_ROOT_DIR"]);
  if (file.rootDir !== undefined) return resolve(dirname(path), file.rootDir);
  return resolve(defaultConfig(env, uid).rootDir);
}

function readConfig(text: string): { readonly rootDir?: string } | undefined {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
  return Object.entries(parsed).every(isHarmless) ? parsed : undefined;
}

function isHarmless([key, value]: [string, unknown]): boolean {
  if (texts.has(key)) return typeof value === "string" && value !== "";
  return times.has(key) && Number.isSafeInteger(value) && (value as number) >= 0;
}
