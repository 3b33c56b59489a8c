import { join } from "node:path";
import { type Host, SilkError } from "@silkvm/core";
import { type Conflist, programsOf } from "./conflist.ts";

/** The path of a plugin's program. @throws SilkError `CNI_PLUGIN_NOT_FOUND` */
export async function findPlugin(
  host: Host,
  directories: readonly string[],
  type: string,
): Promise<string> {
  for (const directory of directories) {
    const path = join(directory, type);
    if (await host.files.canAccess(path, "execute")) return path;
  }
  throw new SilkError(`the CNI plugin ${type} is not in ${directories.join(", ")}`, {
    code: "CNI_PLUGIN_NOT_FOUND",
    kind: "unavailable",
    hint: "Install it (apt install containernetworking-plugins), or name its directory in CNI_PATH.",
    details: { plugin: type, directories },
  });
}

/** Which programs of a network's plugins are not there. */
export async function missingPlugins(
  host: Host,
  directories: readonly string[],
  conflist: Conflist,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const type of programsOf(conflist)) {
    try {
      await findPlugin(host, directories, type);
    } catch {
      missing.push(type);
    }
  }
  return missing;
}
