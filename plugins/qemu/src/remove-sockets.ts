import { join } from "node:path";
import type { VmRecord } from "@silkvm/core";
import { leavingPrefix } from "./leaving.ts";
import type { Machine } from "./machine.ts";
import { pidPath, ranPath } from "./vmm-processes.ts";

/** Removes what the VMM leaves in the run directory. Only after all of its processes are dead: a second VMM takes a socket over from one that lives. */
export async function removeSockets({ host, paths }: Machine, vm: VmRecord): Promise<void> {
  const vmPaths = paths(vm);
  const { apiSocketPath, consoleSocketPath, runDir } = vmPaths;
  const names = await host.files.list(runDir);
  const leaving = names.filter((name) => name.startsWith(leavingPrefix));
  const known = [apiSocketPath, consoleSocketPath, pidPath(vmPaths), ranPath(vmPaths)];
  for (const path of [...known, ...leaving.map((name) => join(runDir, name))])
    await host.files.remove(path);
}
