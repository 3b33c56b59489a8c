import type { BatchResult } from "@silkvm/core";
import { renderError } from "./failure/error-view.ts";
import { toFailure } from "./failure/failure.ts";
import { hasColor } from "./output/color.ts";
import { print, printJson } from "./output/stdout.ts";

/**
 * Prints what became of several VMs: the ids on stdout, the failures on stderr; with `json` both in one object, whose `error` is the
 * first failure's. The exit code is the first failure's.
 */
export function printBatch(result: BatchResult, json: boolean): void {
  const failures = result.failed.map(({ ref, error }) => ({ ref, failure: toFailure(error) }));
  const [first] = failures;
  if (first !== undefined) process.exitCode = first.failure.exitCode;
  if (json) {
    printJson({
      done: result.done,
      failed: failures.map(({ ref, failure }) => ({ ref, error: failure.error })),
      ...(first === undefined ? {} : { error: first.failure.error }),
    });
    return;
  }
  print(result.done.map((id) => `${id}\n`).join(""));
  for (const { failure } of failures)
    if (failure.error !== undefined)
      process.stderr.write(renderError(failure.error, { color: hasColor(process.stderr) }));
}
