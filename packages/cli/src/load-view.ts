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

/** One line on what a VM cannot do because of how it got its memory; undefined where there is nothing that it cannot. */
export function limitsLine({ used, limits }: RestoredMemory): string | undefined {
  if (limits.length === 0) return undefined;
  const clauses = limits.map((limit) =>
    limit.replace(/\.$/, "").replace(/^[A-Z](?=[a-z ])/, lower),
  );
  return `${memoryWords[used]}: ${[...clauses, "--restore-mode copy avoids that"].join("; ")}`;
}

function lower(text: string): string {
  return text.toLowerCase();
}
