import { writeSync } from "node:fs";

/** What a write fails with whose reader has gone. */
const goneCodes: ReadonlySet<string | undefined> = new Set(["EPIPE", "ECONNRESET"]);

/**
 * Writes to stdout past Node's stream, which takes milliseconds to make. What a reader that has gone does not take is nobody's loss,
 * and what would block is left to the stream.
 * @throws Error of any other write that fails
 */
export function writeOutput(parts: readonly (string | Uint8Array)[]): void {
  for (const [index, part] of parts.entries()) {
    let left = typeof part === "string" ? Buffer.from(part) : part;
    try {
      while (left.length > 0) left = left.subarray(writeSync(1, left));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (goneCodes.has(code)) return;
      if (code !== "EAGAIN") throw error;
      leaveToStream([left, ...parts.slice(index + 1)]);
      return;
    }
  }
}

/** Somebody who shares the other end has made it non-blocking: the stream waits for it, and the program for the stream. */
function leaveToStream(parts: readonly (string | Uint8Array)[]): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!goneCodes.has(error.code)) throw error;
  });
  for (const part of parts) process.stdout.write(part);
}
