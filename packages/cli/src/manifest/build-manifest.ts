import { join } from "node:path";
import { Plugin } from "@oclif/core/config";
import { settings } from "@oclif/core/settings";

export type Manifest = Plugin["manifest"];

/** Where this package begins: two levels above the built file. */
export const packageRoot: string = join(import.meta.dirname, "../..");

/** What oclif would find out of the built commands at each start, found out once. */
export async function buildManifest(): Promise<Manifest> {
  settings.enableAutoTranspile = false;
  const plugin = new Plugin({
    root: packageRoot,
    type: "core",
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  await plugin.load();
  // Files are found in the order of the directory, which differs from machine to machine.
  const commands = Object.entries(plugin.manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...plugin.manifest, commands: Object.fromEntries(commands) };
}
