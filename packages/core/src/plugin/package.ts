import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { SilkError, toSilkError } from "../errors.ts";

/** A package as it is installed. */
export interface InstalledPackage {
  readonly directory: string;
  readonly packageJson: Readonly<Record<string, unknown>>;
}

/**
 * Finds a package.
 * @param from its own directory, or one from which its name is resolved
 * @throws SilkError `PLUGIN_NOT_FOUND`; `PLUGIN_INVALID` where its package.json is none
 */
export async function findPackage(name: string, from: string): Promise<InstalledPackage> {
  const own = await readPackageJson(from);
  if (own?.["name"] === name) return { directory: from, packageJson: own };
  try {
    const path = createRequire(join(from, "noop.js")).resolve(`${name}/package.json`);
    const found = await readPackageJson(dirname(path));
    if (found !== undefined) return { directory: dirname(path), packageJson: found };
  } catch (error) {
    throw notFound(name, from, error);
  }
  throw notFound(name, from);
}

/** The package.json of a directory; undefined where there is none. */
async function readPackageJson(
  directory: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const path = join(directory, "package.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw toSilkError(error, `cannot read ${path}`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new SilkError(`${path} is no JSON object`, { code: "PLUGIN_INVALID", kind: "invalid" });
}

function notFound(name: string, from: string, cause?: unknown): SilkError {
  return new SilkError(`there is no package ${name} under ${from}`, {
    code: "PLUGIN_NOT_FOUND",
    kind: "not-found",
    hint: `Install it: silk plugins install ${name}`,
    cause,
  });
}
