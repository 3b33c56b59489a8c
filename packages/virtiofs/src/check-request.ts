import { isAbsolute } from "node:path";
import { SilkError } from "@silkvm/core";
import { fsCaches, type FsRequest, fsSandboxes } from "./fs-device.ts";

const tagPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,35}$/;
const mostQueues = 1024;
const longestQueue = 1024;

/**
 * Checks what a shared directory is asked for with.
 * @throws SilkError `INVALID_TAG`, `INVALID_SHARE`
 */
export function checkRequest(request: FsRequest): void {
  const { tag, numQueues = 1, queueSize = longestQueue } = request;
  if (typeof tag !== "string" || !tagPattern.test(tag))
    throw new SilkError(`${JSON.stringify(tag)} is no tag for a shared directory`, {
      code: "INVALID_TAG",
      kind: "invalid",
      hint: "A tag is a letter or a digit and up to 35 more letters, digits, dashes and underscores.",
      details: { tag },
    });
  const { dir, socket } = request;
  if ((dir === undefined) === (socket === undefined))
    throw invalid(
      dir === undefined
        ? "neither a directory nor a socket is named"
        : "both a directory and a socket are named",
      "Name a directory, which silk has served, or the socket of your own virtiofsd.",
    );
  const path = dir ?? socket ?? "";
  if (!isAbsolute(path) || path.includes("\0"))
    throw invalid(`${JSON.stringify(path)} is no absolute path`, "Name it by its full path.");
  if (!Number.isInteger(numQueues) || numQueues < 1 || numQueues > mostQueues)
    throw invalid(
      `${numQueues} is no number of queues`,
      `It is a whole number from 1 to ${mostQueues}.`,
    );
  if (!isPowerOfTwo(queueSize) || queueSize > longestQueue)
    throw invalid(
      `${queueSize} is no size of a queue`,
      `It is a power of two, at most ${longestQueue}.`,
    );
  if (request.dir !== undefined) {
    const { cache = "auto", sandbox = "namespace" } = request;
    if (!fsCaches.includes(cache))
      throw invalid(
        `there is no way to cache that is called ${JSON.stringify(cache)}`,
        oneOf(fsCaches),
      );
    if (!fsSandboxes.includes(sandbox))
      throw invalid(`there is no sandbox ${JSON.stringify(sandbox)}`, oneOf(fsSandboxes));
    return;
  }
  const own = ["readonly", "cache", "sandbox"] as const;
  const misplaced = own.find((key) => (request as unknown as Record<string, unknown>)[key]);
  if (misplaced !== undefined)
    throw invalid(
      `${misplaced} is for a directory that silk has served, and a socket is named`,
      "Give your own virtiofsd that option when you start it.",
    );
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
}

function oneOf(words: readonly string[]): string {
  return `It is one of ${words.join(", ")}.`;
}

function invalid(message: string, hint: string): SilkError {
  return new SilkError(message, { code: "INVALID_SHARE", kind: "invalid", hint });
}
