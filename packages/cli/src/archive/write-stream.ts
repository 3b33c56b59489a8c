import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CliError } from "../cli-error.ts";
import { outputClosed } from "../output/guard.ts";

/**
 * Writes an archive to stdout. What reads it gets all of it, or this fails.
 * @throws CliError `OUTPUT_CLOSED` where the reader went away before the end
 */
export async function writeToStdout(content: Readable, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(content, process.stdout, {
      end: false,
      signal: AbortSignal.any([signal, outputClosed]),
    });
  } catch (error) {
    if (!outputClosed.aborted) throw error;
    throw new CliError("who reads stdout went away before the archive's end", {
      code: "OUTPUT_CLOSED",
      kind: "failed",
    });
  }
}

/** Writes an archive to a device or a FIFO, which stays what it is. */
export async function writeToDevice(
  path: string,
  content: Readable,
  signal: AbortSignal,
): Promise<void> {
  await pipeline(content, createWriteStream(path, { flags: "r+" }), { signal });
}
