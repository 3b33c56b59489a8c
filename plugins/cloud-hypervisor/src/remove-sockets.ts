import type { VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** Removes what the VMM leaves in the run directory. Only after all of its processes are dead: without its lock a second VMM could take a socket that is in use. */
export async function removeSockets({ host, paths }: Machine, vm: VmRecord): Promise<void> {
  const { apiSocketPath, consoleSocketPath } = paths(vm);
  for (const path of [apiSocketPath, consoleSocketPath, `${apiSocketPath}.lock`])
    await host.files.remove(path);
}
