import { type SilkError, toSilkError } from "@silkvm/core";
import { renderError } from "../failure/error-view.ts";
import { toFailure } from "../failure/failure.ts";
import { hasColor } from "../output/color.ts";
import { print, printJson } from "../output/stdout.ts";

/** Tries each, one after the other: npm and the list of plugins are changed by one at a time. */
export async function eachPlugin<T>(
  refs: readonly string[],
  run: (ref: string) => Promise<T>,
): Promise<{
  readonly done: readonly T[];
  readonly failed: readonly { readonly ref: string; readonly error: SilkError }[];
}> {
  const done: T[] = [];
  const failed: { ref: string; error: SilkError }[] = [];
  for (const ref of refs) {
    try {
      done.push(await run(ref));
    } catch (error) {
      failed.push({ ref, error: toSilkError(error) });
    }
  }
  return { done, failed };
}

/**
 * Prints what became of several plugins: the line of each on stdout, the failures on stderr; with `json` both in one object, whose `error`
 * is the first failure's. The exit code is the first failure's.
 */
export function printPlugins<T>(
  { done, failed }: Awaited<ReturnType<typeof eachPlugin<T>>>,
  json: boolean,
  line: (one: T) => string,
): void {
  const failures = failed.map(({ ref, error }) => ({ ref, failure: toFailure(error) }));
  const [first] = failures;
  if (first !== undefined) process.exitCode = first.failure.exitCode;
  if (json) {
    printJson({
      done,
      failed: failures.map(({ ref, failure }) => ({ ref, error: failure.error })),
      ...(first === undefined ? {} : { error: first.failure.error }),
    });
    return;
  }
  print(done.map((one) => `${line(one)}\n`).join(""));
  for (const { failure } of failures)
    if (failure.error !== undefined)
      process.stderr.write(renderError(failure.error, { color: hasColor(process.stderr) }));
}
