import { join } from "node:path";
import { type HostFiles, SilkError } from "@silkvm/core";

/** A plugin in the list that oclif reads at each start. All are links to it: so it need not look for them. */
export interface PluginEntry {
  readonly name: string;
  readonly type: "link";
  /** The package's own directory. */
  readonly root: string;
  /** What it was installed from; left out for one that was linked. */
  readonly spec?: string | undefined;
  /** Set where it was found at its installation that it has no hooks of oclif's, which would run around every command. */
  readonly quiet?: true | undefined;
}

interface ListFile {
  readonly oclif?: { readonly plugins?: unknown } | undefined;
}

function listPath(dataDir: string): string {
  return join(dataDir, "package.json");
}

/** Reads the list of plugins; what is no entry of this form is passed over. @throws SilkError `PLUGIN_LIST_DAMAGED` */
export async function readPluginList(
  files: HostFiles,
  dataDir: string,
): Promise<readonly PluginEntry[]> {
  const { oclif } = await readFile(files, dataDir);
  const plugins = Array.isArray(oclif?.plugins) ? (oclif.plugins as readonly unknown[]) : [];
  return plugins.filter((entry): entry is PluginEntry => {
    const { name, root } = (entry ?? {}) as Partial<PluginEntry>;
    return typeof name === "string" && typeof root === "string";
  });
}

/** Writes the list, with whatever else the file holds. */
export async function writePluginList(
  files: HostFiles,
  dataDir: string,
  plugins: readonly PluginEntry[],
): Promise<void> {
  const file = await readFile(files, dataDir);
  const written = { name: "silk", private: true, ...file, oclif: { ...file.oclif, plugins } };
  await files.mkdir(dataDir, { mode: 0o700 });
  await files.writeAtomic(listPath(dataDir), `${JSON.stringify(written, undefined, 2)}\n`, {
    mode: 0o600,
  });
}

async function readFile(files: HostFiles, dataDir: string): Promise<ListFile> {
  const path = listPath(dataDir);
  if ((await files.stat(path)) === undefined) return {};
  try {
    const value: unknown = JSON.parse(await files.readText(path));
    if (typeof value === "object" && value !== null) return value;
    throw new Error("it is no object");
  } catch (error) {
    throw new SilkError(`the list of plugins ${path} cannot be read: ${(error as Error).message}`, {
      code: "PLUGIN_LIST_DAMAGED",
      kind: "failed",
      hint: "Mend it, or move it away and install the plugins again.",
      cause: error,
    });
  }
}
