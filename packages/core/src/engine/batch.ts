import { toSilkError } from "../errors.ts";
import type { BatchResult } from "./types.ts";

/** Refs with each thing once, however it is named: what is removed by its name is not there any more by its id. What nobody knows stays. */
export function onceEach(
  refs: readonly string[],
  resolve: (ref: string) => { readonly id: string },
): readonly string[] {
  const ids = new Set<string>();
  return refs.filter((ref) => {
    let id: string;
    try {
      ({ id } = resolve(ref));
    } catch {
      // Told of by whoever is asked to do something to it.
      return true;
    }
    if (ids.has(id)) return false;
    ids.add(id);
    return true;
  });
}

/** Does one thing to several VMs side by side, at most `concurrency` at once. One failure does not stop the others. */
export async function batch(
  refs: readonly string[],
  concurrency: number,
  run: (ref: string) => Promise<{ readonly id: string }>,
): Promise<BatchResult> {
  const unique = [...new Set(refs)];
  const outcomes: ({ readonly id: string } | { readonly error: unknown })[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < unique.length; index = next++) {
      const ref = unique[index] as string;
      outcomes[index] = await run(ref).catch((error: unknown) => ({ error }));
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, unique.length) }, worker));
  const done: string[] = [];
  const failed: { ref: string; error: ReturnType<typeof toSilkError> }[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if ("id" in outcome) done.push(outcome.id);
    else failed.push({ ref: unique[index] as string, error: toSilkError(outcome.error) });
  }
  return { done: [...new Set(done)], failed };
}
