import type { Timings } from "../snapshot/backend.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import type { RestoredMemory } from "../snapshot/restore-mode.ts";
import type { VmRecord } from "../vm/record.ts";

/** A VM that came from a snapshot, before it is handed over. */
export interface Loaded {
  readonly vm: VmRecord;
  readonly memory: RestoredMemory;
  readonly timings: Timings;
}

export function toLoaded(vm: VmRecord, manifest: SnapshotManifest, timings: Timings): Loaded {
  const memory = vm.runtime?.memory;
  if (memory === undefined)
    throw new Error(
      `the backend "${vm.backend}" does not tell how the memory of ${manifest.name} was restored`,
    );
  return { vm, memory, timings };
}
