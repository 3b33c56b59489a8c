import type { CheckContext } from "./context.ts";
import type { Host } from "@silkvm/core";
import type { Outcome } from "./finding.ts";

/**
 * Whether a directory's file system answers. Asked by another process: a call to one that never answers, such as a network file
 * system that has lost its server, would hold up a thread of this process, and its end, for as long as that lasts.
 */
export async function directoryResponds(
  host: Host,
  directory: string,
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const silence = new AbortController();
  try {
    return await Promise.race([
      // That the directory is not there is an answer too; so is that there is no such program.
      host.processes
        .run({ command: "stat", args: ["-f", directory], timeoutMs: withinMs, signal })
        .then(
          () => true,
          (error: unknown) => (error as { code?: unknown }).code !== "ETIMEDOUT",
        ),
      host.clock.delay(withinMs, { signal: silence.signal }).then(
        () => false,
        () => true,
      ),
    ]);
  } finally {
    silence.abort();
  }
}

/** The outcome of a check that cannot look at a directory; undefined where all of them answer. */
export async function silentDirectory(
  context: CheckContext,
  ...directories: readonly string[]
): Promise<Outcome | undefined> {
  for (const directory of directories)
    if (!(await context.responds(directory)))
      return { status: "skipped", evidence: `the file system of ${directory} does not answer` };
  return undefined;
}
