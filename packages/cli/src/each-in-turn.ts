import { renderError } from "./failure/error-view.ts";
import { toFailure } from "./failure/failure.ts";
import { hasColor } from "./output/color.ts";
import { printJson, printLine } from "./output/stdout.ts";

/**
 * Does something to each of several things, one after the other, and prints of each what stands alone on stdout. One that fails does not
 * keep the others from being tried; the exit code is the first failure's. With `json` one is an object, several are an array in their
 * order; what is wrong with one of several stands in its place as `{ref, error}`.
 */
export async function eachInTurn<T extends object>(
  refs: readonly string[],
  json: boolean,
  run: (ref: string) => Promise<T>,
  lines: (value: T) => readonly string[],
): Promise<void> {
  const documents: object[] = [];
  for (const ref of refs) {
    try {
      const value = await run(ref);
      documents.push(value);
      if (!json) for (const line of lines(value)) printLine(line);
    } catch (error) {
      if (refs.length === 1 || isAbort(error)) throw error;
      const failure = toFailure(error);
      process.exitCode ??= failure.exitCode;
      documents.push({ ref, error: failure.error });
      if (!json && failure.error !== undefined)
        process.stderr.write(renderError(failure.error, { color: hasColor(process.stderr) }));
    }
  }
  if (json) printJson(documents.length === 1 ? documents[0] : documents);
}

/** The user gave up: what is left is not tried. */
function isAbort(error: unknown): boolean {
  const { kind } = (error ?? {}) as { kind?: unknown };
  return kind === "aborted";
}
