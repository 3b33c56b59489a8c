import { basename } from "node:path";
import type { Host } from "@silkvm/core";

type Files = Host["files"];

/** What a file of the kernel says, without the last newline; undefined where there is no such file, or it may not be read. */
export async function readKernelFile(files: Files, path: string): Promise<string | undefined> {
  try {
    return (await files.readText(path)).replace(/\n$/, "");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The path behind a link of the kernel's; undefined where there is none. */
export async function followLink(files: Files, path: string): Promise<string | undefined> {
  try {
    return await files.realpath(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The name of what a link points to: a driver, a group. */
export async function linkName(files: Files, path: string): Promise<string | undefined> {
  const target = await followLink(files, path);
  return target === undefined ? undefined : basename(target);
}

/** Devices come and go while they are looked at, and some of their files have nothing to say. */
function isMissing(error: unknown): boolean {
  const code = (error as { code?: string } | null)?.code ?? "";
  return ["ENOENT", "ENOTDIR", "ENODEV", "EACCES", "EINVAL", "EIO"].includes(code);
}
