import { basename, dirname, join, relative } from "node:path";
import { type HostFiles, SilkError } from "@silkvm/core";

/** What a package can begin as. */
export const templates = ["backend", "hooks"] as const;

export type Template = (typeof templates)[number];

export interface CreatedPlugin {
  readonly name: string;
  readonly template: Template;
  readonly directory: string;
  /** Paths inside of the directory. */
  readonly files: readonly string[];
}

interface CreateRequest {
  readonly name: string;
  readonly template: Template;
  /** It must not be there yet, or be empty. */
  readonly directory: string;
  /** Where the templates are. */
  readonly from: string;
  /** The version of silk, by which the package depends on core. */
  readonly version: string;
}

const packageName = /^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;

/** What templates are called, and what their backend and their commands are called. */
const placeholders = /silk-example|\bexample\b/g;

/** Names of files that npm would not publish, or would take for its own, as they are in the templates. */
const renamed: ReadonlyMap<string, string> = new Map([["gitignore", ".gitignore"]]);

/** Writes a plugin package. What fails leaves nothing. @throws SilkError `INVALID_NAME`, `DIRECTORY_NOT_EMPTY` */
export async function createPlugin(
  files: HostFiles,
  { name, template, directory, from, version }: CreateRequest,
): Promise<CreatedPlugin> {
  const short = shortName(name);
  if ((await files.list(directory)).length > 0)
    throw new SilkError(`${directory} is there, and not empty`, {
      code: "DIRECTORY_NOT_EMPTY",
      kind: "conflict",
      hint: "Name another one: --dir DIR",
      details: { directory },
    });
  const wasThere = (await files.stat(directory)) !== undefined;
  const root = join(from, template);
  const fill = (text: string): string =>
    text.replaceAll(placeholders, (found) => (found === "silk-example" ? name : short));
  const written: string[] = [];
  try {
    for (const path of await filesBelow(files, root)) {
      const text = fill(await files.readText(path));
      const own = fill(relative(root, path));
      const target = join(dirname(own), renamed.get(basename(own)) ?? basename(own));
      await files.mkdir(join(directory, dirname(target)), { mode: 0o755 });
      const content = target === "package.json" ? withVersion(text, version) : text;
      await files.writeAtomic(join(directory, target), content, { mode: 0o644 });
      written.push(target);
    }
  } catch (error) {
    if (!wasThere) await files.remove(directory);
    else for (const left of await files.list(directory)) await files.remove(join(directory, left));
    throw error;
  }
  return { name, template, directory, files: written };
}

/** What a backend, or a topic of commands, of the package is called: `@acme/silk-fast` → `fast`. */
export function shortName(name: string): string {
  const short = name.replace(/^@[^/]*\//, "").replace(/^silk-(?=.)/, "");
  if (packageName.test(name) && name.length <= 214 && /^[a-z][a-z0-9-]*$/.test(short)) return short;
  throw new SilkError(`${JSON.stringify(name)} is no name for a plugin`, {
    code: "INVALID_NAME",
    kind: "invalid",
    hint: "It is a package's name that begins with a letter, of lower case letters, digits and dashes, with a scope or without: silk-fast, @acme/silk-fast",
    details: { name },
  });
}

/** The package depends on this silk's core, and on what goes with it. */
function withVersion(text: string, version: string): string {
  return text.replaceAll(/("@silkvm\/[\w-]+": )"\*"/g, `$1"^${version}"`);
}

/** Paths of all files below a directory, sorted. What a build or an install has put there is no part of a template. */
async function filesBelow(files: HostFiles, directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await files.list(directory)) {
    if (["node_modules", "dist"].includes(name)) continue;
    const path = join(directory, name);
    const stat = await files.stat(path);
    if (stat?.kind === "directory") found.push(...(await filesBelow(files, path)));
    else found.push(path);
  }
  return found;
}
