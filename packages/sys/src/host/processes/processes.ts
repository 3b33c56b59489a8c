import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { HostProcesses } from "@silkvm/core";
import { find } from "./find.ts";
import { identify, isAlive, self } from "./identity.ts";
import { which } from "./which.ts";

export function linuxProcesses(): HostProcesses {
  /** Processes that were started here and have not been seen to end, by pid: it is not given away before. */
  const children = new Map<number, ChildProcess>();

  /** A death is seen by everybody at once, by the parent a moment later: after a wait the parent has seen it too. */
  const reap = async (pid: number): Promise<void> => {
    const child = children.get(pid);
    if (child === undefined) return;
    child.ref();
    await once(child, "exit");
  };

  return {
    self,
    identify,
    isAlive,
    find,
    which,
    async spawn(request) {
      const { spawn } = await import("./spawn.ts");
      const { process, child } = await spawn(request);
      if (process.exit === undefined) {
        children.set(process.identity.pid, child);
        child.once("exit", () => children.delete(process.identity.pid));
      }
      return process;
    },
    run: async (request) => (await import("./run-tool.ts")).runTool(request),
    signal: async (identity, name) => (await import("./signal.ts")).signal(identity, name),
    async waitForExit(identity, options) {
      const { waitForExit } = await import("./wait-for-exit.ts");
      const isDead = await waitForExit(identity, options);
      if (isDead) await reap(identity.pid);
      return isDead;
    },
    openers: async (paths) => (await import("./openers.ts")).openers(paths),
    lockHolders: async (path) => (await import("./lock-holders.ts")).lockHolders(path),
  };
}
