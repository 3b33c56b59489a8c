import { join } from "node:path";
import { vmmArgs, type VmmProcessOptions } from "@silkvm/ch-client";
import type { ProcessIdentity, VmPaths, VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** Where the VMM writes what happens to its VM. */
export function eventsPath({ runDir }: VmPaths): string {
  return join(runDir, "events.json");
}

/**
 * What a VM's VMM is told besides its VM. The Go counterpart gives no event monitor: there is no daemon here that sees a VMM end,
 * and the file is what tells a guest that shut down in order from a VMM that crashed or was killed.
 */
export function vmmOptions(paths: VmPaths): VmmProcessOptions {
  return { apiSocket: paths.apiSocketPath, eventMonitor: eventsPath(paths) };
}

/**
 * The living processes that are this VM's VMM, whatever the record knows of them: a silk that was killed between the launch and
 * the record leaves one that no record names, and a VMM with a PTY has a second process with the same arguments.
 *
 * Proof are the arguments that only our own launch gives: the VM's API socket, and right behind it its event monitor. A `ch-remote`
 * that talks to the socket has the first alone.
 */
export async function findVmmProcesses(
  { host, paths }: Pick<Machine, "host" | "paths">,
  vm: VmRecord,
): Promise<readonly ProcessIdentity[]> {
  const own = vmmArgs(vmmOptions(paths(vm)));
  const found = await host.processes.find((argv) => {
    const start = argv.indexOf("--api-socket");
    return start !== -1 && own.every((argument, index) => argv[start + index] === argument);
  });
  return found.map(({ identity }) => identity);
}
