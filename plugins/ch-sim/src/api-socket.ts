import { closeSync, openSync, unlinkSync } from "node:fs";

import type { CommandLine } from "./args/command-line.ts";
import { Options } from "./args/option-parser.ts";
import { fromNode, VmmError } from "./errors.ts";
import { sys } from "./host/native.ts";
import { ApiServer, type Handler } from "./http/server.ts";
import { quote } from "./json/content.ts";

/** A Unix socket's path takes 108 bytes with its end. */
const MAX_PATH_BYTES = 107;

/** Where the API is served. */
export type ApiAddress = { readonly path: string } | { readonly fd: number };

/** The address that the command line names, if any. Throws a VmmError. */
export function apiAddress(line: CommandLine): ApiAddress | undefined {
  const text = line.one("api-socket");
  if (text === undefined) return undefined;
  let options: Options | undefined;
  try {
    options = new Options(text, ["path", "fd"], (error) => error);
  } catch (error) {
    if (!(error instanceof VmmError)) throw error;
  }
  const fd = options?.get("fd");
  if (fd === undefined) return { path: options?.get("path") ?? text };
  if (!/^[+-]?\d+$/.test(fd)) {
    const source = new VmmError(
      "ParseIntError",
      "invalid digit found in string",
      undefined,
      " { kind: InvalidDigit }",
    );
    throw new VmmError("ParsingApiSocket", "Error parsing --api-socket", source);
  }
  return { fd: Number(fd) };
}

/** Locks the path, takes a stale socket away, and serves the API. The lock lasts as long as the process. Throws a VmmError. */
export async function serveApi(address: ApiAddress, handler: Handler): Promise<ApiServer> {
  if ("fd" in address) return ApiServer.listen(address, handler);
  const { path } = address;
  const lock = openLock(path);
  const { tryLockRange } = await sys();
  if (!tryLockRange(lock, { start: 0, length: 0, exclusive: true })) {
    closeSync(lock);
    const message = `API socket ${quote(path)} is already in use by another running instance`;
    throw startError(new VmmError("ApiSocketInUse", message, undefined, `(${quote(path)})`));
  }
  try {
    unlinkSync(path);
  } catch {
    // Usually there is none.
  }
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    const message = "path must be shorter than SUN_LEN";
    throw socketError(
      new VmmError(
        "Error",
        message,
        undefined,
        ` { kind: InvalidInput, message: ${quote(message)} }`,
      ),
    );
  }
  try {
    return await ApiServer.listen(address, handler);
  } catch (error) {
    throw socketError(fromNode(error));
  }
}

function openLock(path: string): number {
  try {
    return openSync(`${path}.lock`, "a", 0o600);
  } catch (error) {
    throw socketError(fromNode(error));
  }
}

function socketError(source: VmmError): VmmError {
  return startError(
    new VmmError("CreateApiServerSocket", "Error creation API server's socket", source),
  );
}

function startError(source: VmmError): VmmError {
  return new VmmError("StartVmmThread", "Failed to start the VMM thread", source);
}
