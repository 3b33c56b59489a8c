import { dirname, sep } from "node:path";
import {
  type DeviceContext,
  directoryAbove,
  type Host,
  SilkError,
  type SilkErrorOptions,
} from "@silkvm/core";

/**
 * Checks that a directory can be shared.
 * @returns its path with every symlink resolved: what is served is what was checked
 * @throws SilkError `DIRECTORY_NOT_FOUND`, `INVALID_DIRECTORY`, `PERMISSION_DENIED`
 */
export async function checkDirectory(
  dir: string,
  { host, rootDir, paths }: Pick<DeviceContext, "host" | "rootDir" | "paths">,
): Promise<string> {
  const real = await checkReadable(dir, host);
  const directories = [rootDir, dirname(paths.runDir), dirname(paths.logPath)];
  const own = await directoryAbove(host, real + sep, directories);
  if (own !== undefined)
    throw new SilkError(`${dir} is one of silk's own directories, below ${own}`, {
      code: "INVALID_DIRECTORY",
      kind: "invalid",
      hint: "Share a directory of your own.",
      details: { path: dir },
    });
  return real;
}

/**
 * Checks that a directory is one, and that this user may read it.
 * @returns its path with every symlink resolved
 * @throws SilkError `DIRECTORY_NOT_FOUND`, `INVALID_DIRECTORY`, `PERMISSION_DENIED`
 */
export async function checkReadable(dir: string, { files }: Host): Promise<string> {
  const refuse = (why: string, options: Omit<SilkErrorOptions, "details">): SilkError =>
    new SilkError(`${dir} ${why}`, { ...options, details: { path: dir } });
  const denied = (cause?: unknown): SilkError =>
    refuse("cannot be read by this user", {
      code: "PERMISSION_DENIED",
      kind: "denied",
      hint: "Give this user the permission to read and to enter it.",
      cause,
    });
  const stat = await files.stat(dir).catch((error: unknown) => {
    throw (error as { code?: unknown }).code === "EACCES" ? denied(error) : error;
  });
  if (stat === undefined)
    throw refuse("is not there", {
      code: "DIRECTORY_NOT_FOUND",
      kind: "not-found",
      hint: `Make it first: mkdir -p ${dir}`,
    });
  if (stat.kind !== "directory")
    throw refuse(`is a ${stat.kind}, and not a directory`, {
      code: "INVALID_DIRECTORY",
      kind: "invalid",
      hint: "Name a directory; to give a VM a single disk image, attach it as a disk: silk vm disk attach",
    });
  for (const how of ["read", "execute"] as const)
    if (!(await files.canAccess(dir, how))) throw denied();
  return await files.realpath(dir);
}
