import { constants, createWriteStream, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { FileKind } from "@silkvm/core";
import { CliError } from "../cli-error.ts";
import { outputClosed } from "../output/guard.ts";

/**
 * Writes an archive to stdout. What reads it gets all of it, or this fails.
 * @returns how many bytes it has
 * @throws CliError `OUTPUT_CLOSED` where the reader went away before the end
 */
export async function writeToStdout(content: Readable, signal: AbortSignal): Promise<number> {
  let sizeBytes = 0;
  try {
    await pipeline(
      content,
      counted((bytes) => (sizeBytes += bytes)),
      process.stdout,
      {
        end: false,
        signal: AbortSignal.any([signal, outputClosed]),
      },
    );
    return sizeBytes;
  } catch (error) {
    if (!outputClosed.aborted) throw error;
    throw new CliError("who reads stdout went away before the archive's end", {
      code: "OUTPUT_CLOSED",
      kind: "failed",
    });
  }
}

/**
 * Writes an archive to a FIFO or a device, which stays what it is.
 * @returns how many bytes it has
 * @throws CliError `OUTPUT_CLOSED` where nobody reads the FIFO
 */
export async function writeToDevice(
  path: string,
  kind: FileKind,
  content: Readable,
  signal: AbortSignal,
): Promise<number> {
  let sizeBytes = 0;
  try {
    const target = kind === "fifo" ? openFifo(path) : openDevice(path);
    await pipeline(
      content,
      counted((bytes) => (sizeBytes += bytes)),
      target,
      { signal },
    );
    return sizeBytes;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENXIO" && code !== "EPIPE") throw error;
    throw new CliError(`nobody reads ${path}`, { code: "OUTPUT_CLOSED", kind: "failed" });
  }
}

/** Not as a file: where nobody reads for now, a thread would wait in the write, and the program could not end. */
function openFifo(path: string): Writable {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: false, writable: true });
}

function openDevice(path: string): Writable {
  return createWriteStream(path, { flags: "r+" });
}

/** Passes bytes on, and tells how many. */
function counted(add: (bytes: number) => void) {
  return async function* count(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of source) {
      add(bytes.length);
      yield bytes;
    }
  };
}
