import { join } from "node:path";
import { type HostFiles, SilkError } from "@silkvm/core";
import { pluginInvalid } from "./plugin-invalid.ts";

/** The package.json of a directory. @throws SilkError `FILE_NOT_FOUND`, `PLUGIN_INVALID` */
export async function readPackage(
  files: HostFiles,
  directory: string,
): Promise<Readonly<Record<string, unknown>>> {
  const path = join(directory, "package.json");
  if ((await files.stat(path)) === undefined)
    throw new SilkError(`there is no ${path}`, {
      code: "FILE_NOT_FOUND",
      kind: "not-found",
      hint: "Name the directory of a package.",
    });
  try {
    const value: unknown = JSON.parse(await files.readText(path));
    if (typeof value !== "object" || value === null) throw new Error("it holds no object");
    return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw pluginInvalid(`${path} cannot be read: ${(error as Error).message}`);
  }
}
