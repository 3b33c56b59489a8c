import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of silk that say where things are, and no more: `findRootDir` looks at those that matter. */
const places: ReadonlySet<string> = new Set([
  "SILK_ROOT_DIR",
  "SILK_RUN_DIR",
  "SILK_LOG_DIR",
  "SILK_CH_BINARY",
  "SILK_QEMU_BINARY",
  "SILK_CONFIG",
]);

/** Whether a variable may change what oclif or silk do in a way that is not looked at here. */
export function isPlainEnvironment(env: Environment): boolean {
  for (const name of Object.keys(env))
    if (
      (name.startsWith("SILK_") && !places.has(name)) ||
      name.startsWith("OCLIF_") ||
      strange.has(name)
    )
      return false;
  // Without one, everybody who asks finds a home of his own.
  return Boolean(env["HOME"]);
}

const strange: ReadonlySet<string> = new Set(["DEBUG", "NODE_DEBUG", "NODE_ENV"]);

/** Whether the user has put nothing in oclif's directories that would be heard of: no theme, and no plugin that has hooks. */
export function isPlainOclif(env: Environment): boolean {
  const home = env["HOME"] as string;
  const config = join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "silk");
  const data = join(env["XDG_DATA_HOME"] || join(home, ".local/share"), "silk");
  return !existsSync(join(config, "theme.json")) && !hasLoudPlugins(join(data, "package.json"));
}

/** What was installed by `silk plugins install` cannot have changed since, and is quiet where that was found out then. */
function hasLoudPlugins(path: string): boolean {
  const text = readIfThere(path);
  if (text === undefined) return false;
  const { oclif } = JSON.parse(text) as { oclif?: { plugins?: unknown } };
  const plugins = oclif?.plugins;
  return !(
    Array.isArray(plugins) && plugins.every((plugin: { quiet?: unknown }) => plugin.quiet === true)
  );
}

/** A text file; undefined where it is not there. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
