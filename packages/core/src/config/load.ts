import { dirname, resolve } from "node:path";
import { SilkError } from "../errors.ts";
import type { HostFiles } from "../host.ts";
import { validate } from "../validate.ts";
import { defaultConfig, defaultConfigPath } from "./defaults.ts";
import { configSchema, type ConfigOrigin, type EngineConfig } from "./schema.ts";

/** Where settings are read from. */
export interface ConfigSources {
  /** The file that `--config` or SILK_CONFIG names; it must be there. Default: the user's or the system's, which need not. */
  readonly path?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags?: Partial<EngineConfig> | undefined;
  readonly uid: number;
  /** Relative paths of flags and environment are taken from here; those of the file from the file's own directory. */
  readonly cwd: string;
}

/** Settings with where each comes from. */
export interface LoadedConfig {
  readonly config: EngineConfig;
  readonly origins: Readonly<Record<keyof EngineConfig, ConfigOrigin>>;
  /** The file that was read, or would have been. */
  readonly path: string;
}

/** The names of all settings. */
export const configKeys = Object.keys(configSchema.entries) as readonly (keyof EngineConfig)[];

/**
 * Reads the settings: defaults, then the file, then the environment, then the flags; the later one wins.
 * @throws SilkError `INVALID_CONFIG`, which names the source and the setting
 */
export async function loadConfig(
  files: Pick<HostFiles, "readText">,
  sources: ConfigSources,
): Promise<LoadedConfig> {
  const named = sources.path ?? (sources.env["SILK_CONFIG"] || undefined);
  const path = resolve(sources.cwd, named ?? defaultConfigPath(sources.env, sources.uid));
  const file = absolutePaths(await readConfigFile(files, path, named !== undefined), dirname(path));
  const environment = absolutePaths(readEnvironment(sources.env), sources.cwd);
  const flags = absolutePaths(sources.flags ?? {}, sources.cwd);
  const defaults = absolutePaths(defaultConfig(sources.env, sources.uid), sources.cwd);
  const merged = { ...defaults, ...file, ...environment, ...flags };
  const config = validate(configSchema, merged, "INVALID_CONFIG", "the configuration");
  const origin = (key: keyof EngineConfig): ConfigOrigin =>
    key in flags ? "flag" : key in environment ? "environment" : key in file ? "file" : "default";
  return {
    config,
    origins: Object.fromEntries(configKeys.map((key) => [key, origin(key)])) as Record<
      keyof EngineConfig,
      ConfigOrigin
    >,
    path,
  };
}

const programs: ReadonlySet<string> = new Set(["chBinary", "qemuBinary", "virtiofsd"]);

/** Settings whose paths mean the same in every working directory: relative ones are taken from a directory. */
export function absolutePaths(
  settings: Partial<EngineConfig>,
  from: string,
): Partial<EngineConfig> {
  const changed: Record<string, string> = {};
  for (const key of [
    "rootDir",
    "runDir",
    "logDir",
    "chBinary",
    "chFirmware",
    "qemuBinary",
    "virtiofsd",
  ] as const) {
    const value = settings[key];
    // A program without a slash is looked for on PATH; what is empty is refused by whoever checks it.
    const isPath = programs.has(key) ? value?.includes("/") : Boolean(value);
    if (value !== undefined && isPath === true) changed[key] = resolve(from, value);
  }
  const plugins = settings.plugins?.map((name) =>
    /^\.\.?\//.test(name) ? resolve(from, name) : name,
  );
  return { ...settings, ...changed, ...(plugins === undefined ? {} : { plugins }) };
}

/** The settings in a configuration file: each checked, none filled in. @throws SilkError `INVALID_CONFIG` */
export async function readConfigFile(
  files: Pick<HostFiles, "readText">,
  path: string,
  mustExist: boolean,
): Promise<Partial<EngineConfig>> {
  let text: string;
  try {
    text = await files.readText(path);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    // What this user may not read is somebody else's: HOME still names the other one under setpriv or a bare su.
    if (!mustExist && (code === "ENOENT" || code === "EACCES")) return {};
    throw new SilkError(`cannot read the configuration ${path}`, {
      code: "INVALID_CONFIG",
      kind: "invalid",
      hint:
        code === "ENOENT"
          ? "`silk config set` makes it; --config or SILK_CONFIG names another one."
          : undefined,
      cause: error,
    });
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
      throw new Error("it must hold one JSON object");
    for (const [key, value] of Object.entries(parsed)) checkSetting(key, value);
    return parsed;
  } catch (error) {
    throw new SilkError(`the configuration ${path} is not valid: ${(error as Error).message}`, {
      code: "INVALID_CONFIG",
      kind: "invalid",
      cause: error,
    });
  }
}

/**
 * Checks one setting.
 * @throws SilkError `INVALID_CONFIG`
 */
export function checkSetting(key: string, value: unknown): void {
  const schema = (
    configSchema.entries as Record<string, (typeof configSchema.entries)[keyof EngineConfig]>
  )[key];
  if (schema === undefined || !Object.hasOwn(configSchema.entries, key))
    throw new SilkError(`there is no setting "${key}"`, {
      code: "INVALID_CONFIG",
      kind: "invalid",
      hint: `The settings are ${configKeys.join(", ")}.`,
      details: { key },
    });
  validate(schema, value, "INVALID_CONFIG", `the setting "${key}"`);
}

/** A setting's value as a person types it: numbers and lists are found out by the setting. */
export function parseSetting(key: string, text: string): unknown {
  const type = (configSchema.entries as Record<string, { readonly type?: string }>)[key]?.type;
  if (type === "number") return /^\d+$/.test(text) ? Number(text) : text;
  if (type === "array") return text === "" ? [] : text.split(",");
  return text;
}

/** The environment's name of a setting: `SILK_ROOT_DIR`. */
export function environmentName(key: string): string {
  return `SILK_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

function readEnvironment(env: Readonly<Record<string, string | undefined>>): Partial<EngineConfig> {
  const found: Record<string, unknown> = {};
  for (const key of configKeys) {
    const name = environmentName(key);
    const text = env[name];
    if (text === undefined || text === "") continue;
    const value = parseSetting(key, text);
    try {
      checkSetting(key, value);
    } catch (error) {
      throw new SilkError(`${name} is not valid: ${(error as Error).message}`, {
        code: "INVALID_CONFIG",
        kind: "invalid",
        cause: error,
      });
    }
    found[key] = value;
  }
  return found;
}
