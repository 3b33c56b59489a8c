import { resolve } from "node:path";
import { installable, pluginInvalid } from "./plugin-invalid.ts";

const packageName = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*(?:@[^@/\s]+)?$/i;

/**
 * What npm is given for what a user typed: a path is made absolute, and everything else is npm's own: a name with a version or a tag, a tarball's URL,
 * a git repository (`owner/name`, `git+ssh://…`).
 */
export function toNpmSpec(typed: string, cwd: string): string {
  if (typed.trim() === "" || typed.startsWith("-"))
    throw pluginInvalid(`${JSON.stringify(typed)} is no plugin`, { hint: installable });
  if (typed.startsWith("file:")) return `file:${resolve(cwd, typed.slice("file:".length))}`;
  if (/^\.{0,2}\//.test(typed) || typed === "." || typed === "..") return fileSpec(typed, cwd);
  // Such a name is no package's, and npm would take it for a file, too.
  if (/\.(tgz|tar|tar\.gz)$/.test(typed) && !/^[a-z+]+:/.test(typed)) return fileSpec(typed, cwd);
  return typed;
}

/** The file or directory in a spec of this machine; undefined for what npm fetches. */
export function pathInSpec(spec: string): string | undefined {
  return spec.startsWith("file:") ? spec.slice("file:".length) : undefined;
}

/** The name in a spec of the registry; undefined where npm has to look to know. */
export function nameInSpec(spec: string): string | undefined {
  return packageName.test(spec) ? spec.replace(/(?<!^)@.*$/, "") : undefined;
}

function fileSpec(path: string, cwd: string): string {
  return `file:${resolve(cwd, path)}`;
}
