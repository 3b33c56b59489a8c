import { basename } from "node:path";
import type { NetworkView } from "@silkvm/core";
import type { CniContext } from "./context.ts";
import { findConflists } from "./find-conflists.ts";
import { missingPlugins } from "./find-plugin.ts";

/** The CNI networks of the host; one whose file cannot be used is named for its file. */
export async function listNetworks({
  network: { host },
  configDirs,
  pluginDirs,
}: CniContext): Promise<readonly NetworkView[]> {
  const views: NetworkView[] = [];
  for (const { path, conflist, problem } of await findConflists(host, configDirs)) {
    if (conflist === undefined) {
      const details = { provider: "cni", file: path, problem };
      views.push({ name: basename(path), description: `CNI, unusable: ${problem}`, details });
      continue;
    }
    const { name, cniVersion } = conflist;
    const plugins = conflist.plugins.map(({ type }) => type);
    const missing = await missingPlugins(host, pluginDirs, conflist);
    views.push({
      name,
      description: `CNI ${cniVersion}: ${plugins.join(", ")}${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`,
      details: { provider: "cni", file: path, cniVersion, plugins, missing },
    });
  }
  return views;
}
