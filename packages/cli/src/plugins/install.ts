import { join } from "node:path";
import type { Config } from "@oclif/core/config";
import {
  discoverPlugins,
  type Host,
  type PluginDefinition,
  restated,
  SilkError,
  toSilkError,
  withoutClashes,
} from "@silkvm/core";
import { bundledPlugins } from "./bundled.ts";
import { checkSource } from "./check-source.ts";
import { runNpm } from "./npm.ts";
import { pluginInvalid } from "./plugin-invalid.ts";
import { type PluginEntry, readPluginList, writePluginList } from "./plugin-list.ts";
import { readPackage } from "./read-package.ts";
import { nameInSpec, pathInSpec } from "./spec.ts";

/** What the changes of the plugins of one user have in common. */
export interface PluginChange {
  readonly host: Host;
  readonly oclif: Config;
  /** How long the entry of a plugin may take to be loaded. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly wait: boolean;
}

/** A plugin that was put in its place. */
export interface PlacedPlugin {
  readonly name: string;
  readonly version: string;
  readonly root: string;
  /** The version that was there before. */
  readonly replaced?: string | undefined;
}

/**
 * Installs a plugin from whatever npm can install. It gets a directory of its own, with all that it depends on, is looked at there, and is known only
 * when it is whole: what fails, or is killed, changes nothing.
 * @param spec what npm is given
 * @param force also where it is broken, or does not go together with another plugin
 * @throws SilkError `PLUGIN_INVALID`, `PLUGIN_BROKEN`, `PLUGIN_INCOMPATIBLE`, and what `runNpm` throws
 */
export async function installPlugin(
  change: PluginChange,
  spec: string,
  force: boolean,
): Promise<PlacedPlugin> {
  const { host, oclif, signal } = change;
  const { files } = host;
  refuseOwn(nameInSpec(spec), oclif);
  const path = pathInSpec(spec);
  if (path !== undefined) await checkSource(files, path);
  await using _lock = await lockPlugins(change);
  await removeStrays(change);
  const id = Buffer.from(host.random.bytes(6)).toString("hex");
  const prefix = join(pluginsDir(oclif), id);
  try {
    await files.mkdir(prefix, { mode: 0o700 });
    // npm looks for a project upwards where there is none here.
    const empty = { name: "silk-plugin", private: true };
    await files.writeAtomic(join(prefix, "package.json"), JSON.stringify(empty), { mode: 0o600 });
    const args = ["install", "--prefix", prefix, "--omit=dev", "--install-links", "--", spec];
    await runNpm(host, args, spec, signal);
    const name = await onlyDependency(files, prefix, spec);
    refuseOwn(name, oclif);
    const root = join(prefix, "node_modules", name);
    const checked = await checkPackage(change, name, root, force);
    signal?.throwIfAborted();
    return await place(change, { name, type: "link", root, spec, ...checked.entry });
  } catch (error) {
    await files.remove(prefix);
    throw error;
  }
}

/** Lets a directory be a plugin: for who develops it. Nothing is copied, and nothing is installed. */
export async function linkPlugin(change: PluginChange, directory: string): Promise<PlacedPlugin> {
  const { name } = await readPackage(change.host.files, directory);
  if (typeof name !== "string" || name === "")
    throw pluginInvalid(`${directory} is no package: its package.json has no name`);
  refuseOwn(name, change.oclif);
  await checkPackage(change, name, directory, true);
  await using _lock = await lockPlugins(change);
  const placed = await place(change, { name, type: "link", root: directory });
  await removeStrays(change);
  return placed;
}

/** Takes a plugin away, with its files where silk has put them there. @throws SilkError `PLUGIN_NOT_FOUND` */
export async function removePlugin(change: PluginChange, ref: string): Promise<string> {
  const { host, oclif } = change;
  await using _lock = await lockPlugins(change);
  const listed = await readPluginList(host.files, oclif.dataDir);
  const entry = findEntry(listed, ref);
  await writePluginList(
    host.files,
    oclif.dataDir,
    listed.filter((other) => other !== entry),
  );
  await removeStrays(change);
  return entry.name;
}

/** A plugin by its name, or by the directory that was linked. @throws SilkError `PLUGIN_NOT_FOUND` */
export function findEntry(listed: readonly PluginEntry[], ref: string): PluginEntry {
  const entry = listed.find(({ name, root }) => name === ref || root === ref);
  if (entry !== undefined) return entry;
  throw new SilkError(`no plugin ${JSON.stringify(ref)} is installed`, {
    code: "PLUGIN_NOT_FOUND",
    kind: "not-found",
    hint:
      listed.length === 0
        ? "None is: silk plugins list"
        : `There are ${listed.map(({ name }) => name).join(", ")}.`,
    details: { plugin: ref, known: listed.map(({ name }) => name) },
  });
}

function pluginsDir(oclif: Config): string {
  return join(oclif.dataDir, "plugins");
}

async function place(change: PluginChange, entry: PluginEntry): Promise<PlacedPlugin> {
  const { host, oclif } = change;
  const { files } = host;
  const listed = await readPluginList(files, oclif.dataDir);
  const before = listed.find(({ name }) => name === entry.name);
  const { version } = await readPackage(files, entry.root);
  const replaced =
    before === undefined ? undefined : await readPackage(files, before.root).catch(() => undefined);
  await writePluginList(files, oclif.dataDir, [
    ...listed.filter((other) => other !== before),
    entry,
  ]);
  await removeStrays(change);
  return {
    name: entry.name,
    version: typeof version === "string" ? version : "0.0.0",
    root: entry.root,
    ...(typeof replaced?.["version"] === "string" ? { replaced: replaced["version"] } : {}),
  };
}

/** Finds out what is wrong with a package before it is a plugin. */
async function checkPackage(
  { oclif, timeoutMs, host }: PluginChange,
  name: string,
  root: string,
  force: boolean,
): Promise<{ readonly entry: Pick<PluginEntry, "quiet"> }> {
  const packageJson = await readPackage(host.files, root);
  const { silk, oclif: own } = packageJson;
  if (silk === undefined && own === undefined)
    throw pluginInvalid(
      `${name} is no plugin of silk: its package.json has neither "silk" nor "oclif"`,
      { hint: "The plugin author's guide tells what belongs there." },
    );
  if (!force) {
    const candidate = await discoverPlugins([{ name, from: root }], { timeoutMs, eager: true });
    const [failure] = candidate.failed;
    if (failure !== undefined) throw notPlaced(failure.error);
    const [plugin] = candidate.plugins;
    if (plugin !== undefined) await refuseClash(oclif, plugin, timeoutMs);
  }
  const { hooks = {} } = (own ?? {}) as { readonly hooks?: object };
  return { entry: Object.keys(hooks).length === 0 ? { quiet: true } : {} };
}

/** What helps with a plugin that is there is no help with one that is not. */
function notPlaced(error: SilkError): SilkError {
  return restated(error, {
    hint: "Nothing was changed. Its author can mend it; --force installs it all the same.",
  });
}

/** @throws SilkError `BACKEND_DUPLICATE` and its like */
async function refuseClash(
  oclif: Config,
  plugin: PluginDefinition,
  timeoutMs: number,
): Promise<void> {
  const others = oclif
    .getPluginsList()
    .filter(({ type, name, pjson }) => {
      return type !== "core" && name !== plugin.name && pjson["silk"] !== undefined;
    })
    .map(({ name, root }) => ({ name, from: root }));
  const { plugins } = await discoverPlugins(others, { timeoutMs });
  const { clashes } = withoutClashes([...bundledPlugins, ...plugins, plugin]);
  const clash = clashes.find((found) => found.plugin === plugin);
  if (clash !== undefined) throw clash.error;
}

async function onlyDependency(files: Host["files"], prefix: string, spec: string): Promise<string> {
  const { dependencies } = await readPackage(files, prefix);
  const [name, ...more] = Object.keys(dependencies ?? {});
  if (name === undefined || more.length > 0)
    throw pluginInvalid(`npm installed ${spec}, and does not say under which name`);
  return name;
}

/** What comes with silk is not replaced by something of the same name. */
function refuseOwn(name: string | undefined, oclif: Config): void {
  const own = oclif.getPluginsList().filter(({ type }) => type === "core");
  const names = new Set([...own, ...bundledPlugins].map((plugin) => plugin.name));
  if (name === undefined || !names.has(name)) return;
  throw new SilkError(`${name} comes with silk`, {
    code: "PLUGIN_BUNDLED",
    kind: "conflict",
    hint: "Another version of it comes with another version of silk.",
    details: { plugin: name },
  });
}

/** @throws SilkError `PLUGINS_BUSY` */
async function lockPlugins({ host, oclif, signal, wait }: PluginChange): Promise<AsyncDisposable> {
  let lock: AsyncDisposable | undefined;
  try {
    await host.files.mkdir(oclif.dataDir, { mode: 0o700 });
    lock = await host.locks.acquire(join(oclif.dataDir, "plugins.lock"), 0, {
      waitMs: wait ? Number.POSITIVE_INFINITY : 0,
      signal,
    });
  } catch (error) {
    signal?.throwIfAborted();
    const { code, kind, message } = toSilkError(error);
    throw new SilkError(`plugins cannot be kept in ${oclif.dataDir}: ${message}`, {
      code,
      kind,
      hint: "Name a directory that this user may write to in XDG_DATA_HOME.",
      cause: error,
    });
  }
  if (lock !== undefined) return lock;
  throw new SilkError("another command is changing the plugins", {
    code: "PLUGINS_BUSY",
    kind: "busy",
    hint: "Run the command again, without --no-wait to wait for it.",
  });
}

/** With the lock held: removes directories that no plugin is in, of installations that were replaced, or killed. */
async function removeStrays({ host, oclif }: PluginChange): Promise<void> {
  const dir = pluginsDir(oclif);
  const listed = await readPluginList(host.files, oclif.dataDir);
  for (const name of await host.files.list(dir)) {
    const path = join(dir, name);
    if (!listed.some(({ root }) => root.startsWith(`${path}/`))) await host.files.remove(path);
  }
}
