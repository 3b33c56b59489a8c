import { renderError } from "./failure/error-view.ts";
import { type Failure, toFailure } from "./failure/failure.ts";
import { hasColor } from "./output/color.ts";
import { print, printJson } from "./output/stdout.ts";

type Inspected<T> = { readonly ref: string } & (
  | { readonly view: T }
  | { readonly failure: Failure }
);

/**
 * Looks at each of several things and prints them, for a person one below the other. With `json` one is an object, several are an array
 * in their order; what is wrong with one of several stands in its place as `{ref, error}`. The exit code is the first failure's.
 */
export async function inspectEach<T>(
  refs: readonly string[],
  json: boolean,
  inspect: (ref: string) => Promise<T>,
  render: (view: T) => string,
): Promise<void> {
  const inspected = await Promise.all(
    refs.map(async (ref): Promise<Inspected<T>> => {
      try {
        return { ref, view: await inspect(ref) };
      } catch (error) {
        if (refs.length === 1) throw error;
        return { ref, failure: toFailure(error) };
      }
    }),
  );
  for (const item of inspected) if ("failure" in item) process.exitCode ??= item.failure.exitCode;
  if (json) {
    const documents = inspected.map((item) =>
      "view" in item ? item.view : { ref: item.ref, error: item.failure.error },
    );
    printJson(documents.length === 1 ? documents[0] : documents);
    return;
  }
  print(inspected.flatMap((item) => ("view" in item ? [render(item.view)] : [])).join("\n"));
  for (const item of inspected)
    if ("failure" in item && item.failure.error !== undefined)
      process.stderr.write(renderError(item.failure.error, { color: hasColor(process.stderr) }));
}
