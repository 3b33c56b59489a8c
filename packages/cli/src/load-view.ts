import type { LoadResult, RestoredMemory, Timings } from "@silkvm/core";

/** What `--json` prints of a VM that came from a snapshot. */
export interface LoadedView {
  readonly id: string;
  readonly name: string;
  readonly memory: RestoredMemory;
  readonly timings: Timings;
}

export function toLoadedView({ vm, memory, timings }: LoadResult): LoadedView {
  return { id: vm.id, name: vm.name, memory, timings };
}

/** How a VM has got its memory, in words. */
export const memoryWords: Readonly<Record<RestoredMemory["used"], string>> = {
  copy: "copied",
  ondemand: "read on demand",
  cow: "mapped copy-on-write",
};

/** So many limits are told in full; who wants to know more asks. */
const toldLimits = 2;

/** One line on what a VM cannot do because of how it got its memory; undefined where there is nothing that it cannot. */
export function limitsLine({
  name,
  memory,
}: Pick<LoadedView, "name" | "memory">): string | undefined {
  const { used, limits } = memory;
  if (limits.length === 0) return undefined;
  const clauses = limits.slice(0, toldLimits).map(toClause);
  const more = limits.length - toldLimits;
  if (more > 0) clauses.push(`${more} more in \`silk vm inspect ${name}\``);
  return `${memoryWords[used]}: ${[...clauses, "--restore-mode copy avoids that"].join("; ")}`;
}

/** A sentence as a part of another one. */
function toClause(sentence: string): string {
  return sentence.replace(/\.$/, "").replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
}
