import type { CloneOptions, SnapshotRef } from "@silkvm/core";
import type { OpenEngine } from "./engine.ts";
import { renderError } from "./failure/error-view.ts";
import { type Failure, toFailure } from "./failure/failure.ts";
import { listWords } from "./list-words.ts";
import { snapshotWords } from "./load-options.ts";
import { limitsLine, type LoadedView, toLoadedView } from "./load-view.ts";
import { hasColor } from "./output/color.ts";
import { print, printJson } from "./output/stdout.ts";
import { sideBySide } from "./side-by-side.ts";

/** What became of one of several clones. */
type CloneOutcome =
  | { readonly view: LoadedView }
  | { readonly name: string | undefined; readonly failure: Failure };

/** Makes clones side by side, at most as many at once as the setting `concurrency` says: each is tried. In their order. */
export async function cloneMany(
  open: OpenEngine,
  from: SnapshotRef,
  { count, name, ...wanted }: CloneOptions & { readonly count: number },
): Promise<readonly CloneOutcome[]> {
  const doing = `making ${count} clones of ${snapshotWords(from)}`;
  // What each of many is at is too much to read.
  const options = { ...open.change(doing), onProgress: () => {} };
  const tell = open.progress.count(doing);
  let done = 0;
  return await sideBySide(count, open.engine.config.concurrency, async (index) => {
    const own = name === undefined ? undefined : `${name}-${index + 1}`;
    try {
      const loaded = await open.engine.clone(from, { ...wanted, ...options, name: own });
      return { view: toLoadedView(loaded) };
    } catch (error) {
      return { name: own, failure: toFailure(error) };
    } finally {
      done += 1;
      tell(`${done} of ${count} done`);
    }
  });
}

/**
 * Prints what became of several clones: the ids on stdout, the failures on stderr, one that several share once. With `json` an array in
 * their order, in which a failed one is `{name, error}`. The exit code is the first failure's.
 */
export function printClones(
  open: Pick<OpenEngine, "note">,
  clones: readonly CloneOutcome[],
  json: boolean,
): void {
  const failed = clones.find((clone) => "failure" in clone);
  if (failed !== undefined) process.exitCode = failed.failure.exitCode;
  if (json) {
    printJson(
      clones.map((clone) =>
        "view" in clone ? clone.view : { name: clone.name ?? null, error: clone.failure.error },
      ),
    );
    return;
  }
  print(clones.flatMap((clone) => ("view" in clone ? [`${clone.view.id}\n`] : [])).join(""));
  const first = clones.find((clone) => "view" in clone);
  const limits = first === undefined ? undefined : limitsLine(first.view);
  if (limits !== undefined) open.note(limits);
  process.stderr.write(renderCloneFailures(clones, hasColor(process.stderr)));
}

/** The failures for a person: which clones, and why. */
export function renderCloneFailures(clones: readonly CloneOutcome[], color: boolean): string {
  const sharing = new Map<string, { names: string[]; error: NonNullable<Failure["error"]> }>();
  for (const [index, clone] of clones.entries()) {
    if (!("failure" in clone) || clone.failure.error === undefined) continue;
    const { error } = clone.failure;
    const key = `${error.code}\n${error.message}`;
    const group = sharing.get(key) ?? { names: [], error };
    group.names.push(clone.name ?? `clone ${index + 1}`);
    sharing.set(key, group);
  }
  return [...sharing.values()]
    .map(({ names, error }) =>
      renderError({ ...error, message: `${listWords(names)}: ${error.message}` }, { color }),
    )
    .join("");
}
