import { dirname, resolve } from "node:path";
import type { EngineConfig, LoadedConfig } from "@silkvm/core";
import { usageError } from "./cli-error.ts";
import { didYouMean } from "./failure/suggest.ts";
import type { GlobalFlags } from "./flags/global.ts";
import { loadSettings } from "./settings.ts";

/** The settings as they hold for this command line. */
export async function readSettings(flags: GlobalFlags): Promise<LoadedConfig> {
  const { linuxHost } = await import("@silkvm/sys");
  return await loadSettings(flags, linuxHost());
}

/** @throws CliError of kind `invalid` where there is no such setting */
export async function requireSetting(key: string): Promise<keyof EngineConfig> {
  const { configKeys } = await import("@silkvm/core");
  const known = configKeys.find((name) => name === key);
  if (known !== undefined) return known;
  throw usageError(
    `there is no setting ${JSON.stringify(key)}`,
    `${didYouMean(key, configKeys) ?? ""}The settings are ${configKeys.join(", ")}.`,
  );
}

/**
 * Changes the configuration file that `--config` or the environment names, else the user's own; makes it where there is none.
 * Readers see the old file or the new one.
 * @returns the path of the file
 */
export async function changeConfigFile(
  flags: GlobalFlags,
  change: (settings: Partial<EngineConfig>) => Partial<EngineConfig>,
): Promise<string> {
  const [{ defaultConfigPath, readConfigFile, toSilkError }, { linuxHost }] = await Promise.all([
    import("@silkvm/core"),
    import("@silkvm/sys"),
  ]);
  const { files, facts } = linuxHost();
  const path = resolve(
    flags.config ?? (process.env["SILK_CONFIG"] || defaultConfigPath(process.env, facts.uid)),
  );
  const settings = change(await readConfigFile(files, path, false));
  try {
    await files.mkdir(dirname(path), { mode: 0o755 });
    await files.writeAtomic(path, `${JSON.stringify(settings, undefined, 2)}\n`, { mode: 0o644 });
  } catch (error) {
    throw toSilkError(error, "cannot write the configuration");
  }
  return path;
}
