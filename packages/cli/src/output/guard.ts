const closed = new AbortController();

/** Aborted once nobody reads stdout any more: a stream that goes on then goes on for nobody. */
export const outputClosed: AbortSignal = closed.signal;

/**
 * Makes a reader that goes away (`silk vm list | head -1`) no failure. Any other failure of stdout, such as a full disk behind it, is
 * given to `onFailure`. Must be called before anything else listens on stdout.
 */
export function guardOutput(onFailure: (error: Error) => void): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") closed.abort();
    else onFailure(error);
  });
  // Where stderr fails there is no place left to say so.
  process.stderr.on("error", () => {});
}
