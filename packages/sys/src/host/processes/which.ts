import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { orElse } from "../errors.ts";
import { canAccess } from "../files/access.ts";
import { searchPath } from "./environment.ts";

/** The full path of a program; undefined where it is not there or not executable. */
export async function which(command: string): Promise<string | undefined> {
  if (command === "") return undefined;
  const candidates = command.includes("/")
    ? [command]
    : searchPath()
        .split(":")
        .map((directory) => join(directory, command));
  for (const candidate of candidates) {
    if (await isProgram(candidate)) return resolve(candidate);
  }
  return undefined;
}

/** Directories pass the access check as well. */
async function isProgram(path: string): Promise<boolean> {
  if (!(await canAccess(path, "execute"))) return false;
  return (await orElse(stat(path), undefined, "ENOENT", "ENOTDIR"))?.isFile() ?? false;
}
