const closed = new AbortController();

/** Aborted once nobody reads stdout any more: a stream that goes on then goes on for nobody. */
export const outputClosed: AbortSignal = closed.signal;

/** A parent that is a Node program reads from a socket, which is reset where it had not read everything. */
const goneCodes: ReadonlySet<unknown> = new Set(["EPIPE", "ECONNRESET"]);

/** Whether an error is a write for which there is no reader any more. */
export function isReaderGone(error: unknown): boolean {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return syscall === "write" && goneCodes.has(code);
}

/**
 * Makes a reader that goes away (`silk vm list | head -1`) no failure. Any other failure of stdout, such as a full disk behind it, is
 * given to `onFailure`. Must be called before anything else listens on stdout.
 */
export function guardOutput(onFailure: (error: Error) => void): void {
  process.stdout.on("error", (error) => {
    if (isReaderGone(error)) closed.abort();
    else onFailure(error);
  });
  // Where stderr fails there is no place left to say so.
  process.stderr.on("error", () => {});
}
