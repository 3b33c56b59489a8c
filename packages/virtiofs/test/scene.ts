import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttachedTo, DeviceContext, Host, VmRecord } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";

/** A VM's place on this machine, in a directory of its own. */
export interface Scene extends AsyncDisposable {
  readonly dir: string;
  readonly vm: VmRecord;
  readonly attached: AttachedTo[];
  readonly warnings: string[];
  context(changes?: Partial<DeviceContext>): DeviceContext;
  /** A program of a few lines of shell. @returns its path */
  program(name: string, lines: string): Promise<string>;
}

/** At its end, everything that still runs in it is ended. */
export async function scene(): Promise<Scene> {
  const dir = await mkdtemp(join(tmpdir(), "silk-fs-"));
  const host = linuxHost();
  const warnings: string[] = [];
  const attached: AttachedTo[] = [];
  for (const name of ["root", "run/s/a1", "log/s"])
    await host.files.mkdir(join(dir, name), { mode: 0o700 });
  const paths = {
    dataDir: join(dir, "root/vms/a1"),
    runDir: join(dir, "run/s/a1"),
    logPath: join(dir, "log/s/a1.log"),
    apiSocketPath: join(dir, "run/s/a1/api.sock"),
    consoleSocketPath: join(dir, "run/s/a1/console.sock"),
  };
  return {
    dir,
    vm: {
      id: "a1",
      name: "web",
      config: { sharedMemory: true, hugepages: false },
    } as VmRecord,
    attached,
    warnings,
    context: (changes) => ({
      host,
      config: { virtiofsd: "virtiofsd" },
      rootDir: join(dir, "root"),
      paths,
      scope: "test",
      attached: () => attached,
      warn: (message) => void warnings.push(message),
      progress: () => {},
      ...changes,
    }),
    program: async (name, lines) => {
      const path = join(dir, name);
      await writeFile(path, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
      return path;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { identity } of await host.processes.find((argv) =>
        argv.some((argument) => argument.includes(dir)),
      ))
        await host.processes.signal(identity, "SIGKILL");
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** This machine, as somebody else sees it. */
export function asUser(uid: number, changes: Partial<Host["processes"]> = {}): Host {
  const host = linuxHost();
  return {
    ...host,
    facts: { ...host.facts, uid },
    processes: {
      ...host.processes,
      which: (command) => host.processes.which(command),
      run: (request) => host.processes.run(request),
      ...changes,
    },
  };
}
