import { join } from "node:path";
import type { VmPaths } from "@silkvm/core";

/** What the VMM writes into a snapshot's directory, by its own names. */
export const configName = "config.json";
export const stateName = "state.json";
export const memoryName = "memory-ranges";

/** Where a VM that came from a snapshot has what the VMM read: while it runs on a mapped memory file, that file too. */
export function restoreDir({ dataDir }: Pick<VmPaths, "dataDir">): string {
  return join(dataDir, "restore");
}
