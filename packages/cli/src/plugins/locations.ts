import { createRequire } from "node:module";
import { isAbsolute, join } from "node:path";
import { readFile } from "node:fs/promises";
import type { Config } from "@oclif/core/config";
import type { PluginLocation } from "@silkvm/core";

/** How a plugin has come to silk: `silk plugins install`, `silk plugins link`, or the setting `plugins`. */
export type PluginOrigin = "installed" | "linked" | "configured";

/** Plugins of oclif's that say in their package.json that they are silk's, too. */
export function installedPlugins(oclif: Config): readonly PluginLocation[] {
  return oclif
    .getPluginsList()
    .filter(({ type, pjson }) => type !== "core" && pjson["silk"] !== undefined)
    .map(({ name, root }) => ({ name, from: root }));
}

/** What the setting `plugins` names besides those: a name is looked for beside the plugins that oclif has, then beside silk itself; a path is the package. */
export async function configuredPlugins(
  oclif: Config,
  configured: readonly string[],
): Promise<readonly PluginLocation[]> {
  const installed = new Set(oclif.getPluginsList().map(({ name }) => name));
  const wanted = [...new Set(configured)].filter((name) => !installed.has(name));
  const located = await Promise.all(
    wanted.map(async (name) => {
      if (isAbsolute(name)) return { name: await packageName(name), from: name };
      const roots = [oclif.dataDir, oclif.root];
      return { name, from: roots.find((root) => isInstalled(name, root)) ?? oclif.dataDir };
    }),
  );
  return located.filter(({ name }) => !installed.has(name));
}

function isInstalled(name: string, root: string): boolean {
  try {
    createRequire(join(root, "noop.js")).resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

async function packageName(directory: string): Promise<string> {
  try {
    const text = await readFile(join(directory, "package.json"), "utf8");
    return (JSON.parse(text) as { name: string }).name;
  } catch {
    return directory;
  }
}
