import { open } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { GuestConfig } from "@silkvm/core";
import { CliError, usageError } from "./cli-error.ts";
import { parseSshKeys } from "./parse/ssh-key.ts";

/** The flags by which the guest of a cloud image is told who may use it, and what it is to do. */
export interface GuestFlags {
  readonly "ssh-key"?: readonly string[] | undefined;
  readonly "user-data"?: string | undefined;
}

/** More is no key, and no user-data. */
const largestFileBytes = 1024 ** 2;

/**
 * What a guest is to be told; undefined where that is nothing.
 * @throws CliError of kind `invalid` or `not-found`
 */
export async function readGuest(flags: GuestFlags): Promise<GuestConfig | undefined> {
  const { "ssh-key": keys, "user-data": userData } = flags;
  if (keys === undefined && userData === undefined) return undefined;
  const sshKeys = await Promise.all(
    (keys ?? []).map((key) => parseSshKeys(key, (path) => readText("--ssh-key", path))),
  );
  return {
    ...(keys === undefined ? {} : { sshKeys: sshKeys.flat() }),
    ...(userData === undefined ? {} : { userData: await readUserData(userData) }),
  };
}

async function readUserData(path: string): Promise<string> {
  if (path !== "-") return await readText("--user-data", path);
  if (process.stdin.isTTY)
    throw usageError("--user-data: stdin is a terminal", "Name a file, or let stdin be one.");
  return await text(process.stdin);
}

async function readText(flag: string, path: string): Promise<string> {
  let bytes: Buffer;
  try {
    await using file = await open(path, "r");
    // A device, or a file that is named by mistake, may have no end.
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(largestFileBytes + 1),
      0,
      largestFileBytes + 1,
      null,
    );
    bytes = buffer.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(flag, path, error);
  }
  if (bytes.length > largestFileBytes) throw usageError(`${flag}: ${path} is larger than 1 MiB`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw usageError(`${flag}: ${path} is no text`);
  }
}

function unreadable(flag: string, path: string, cause: unknown): CliError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR")
    return new CliError(`${flag}: there is no file ${path}`, {
      code: "FILE_NOT_FOUND",
      kind: "not-found",
    });
  if (code === "EISDIR") return usageError(`${flag}: ${path} is a directory`);
  return new CliError(`${flag}: ${path} cannot be read: ${(cause as Error).message}`, {
    code: "FILE_UNREADABLE",
    kind: "denied",
  });
}
