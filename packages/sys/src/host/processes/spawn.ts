import { type ChildProcess, spawn as spawnChild } from "node:child_process";
import { once } from "node:events";
import { open, stat } from "node:fs/promises";
import { constants } from "node:os";
import type { ProcessExit, ProcessIdentity, SpawnedProcess, SpawnRequest } from "@silkvm/core";
import { SystemError } from "../../system-error.ts";
import { bootId } from "../facts.ts";
import { childEnvironment } from "./environment.ts";
import { withoutInheritance } from "./inheritance.ts";
import { inNetworkNamespace } from "./netns.ts";
import { readProcessStat } from "./process-stat.ts";

/** What is started, and Node's handle of it. */
export interface Spawned {
  readonly process: SpawnedProcess;
  readonly child: ChildProcess;
}

/**
 * Starts a process that survives this one: in a session of its own, output appended to a file, none of our descriptors.
 * It does not keep this process's event loop alive.
 */
export async function spawn(request: SpawnRequest): Promise<Spawned> {
  await checkDirectory(request.cwd);
  await using log = await open(request.logPath, "a", 0o600);
  const start = (): ChildProcess =>
    spawnChild(request.command, request.args, {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: childEnvironment(request.env),
      ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
    });
  const child = withoutInheritance(() =>
    request.netnsPath === undefined ? start() : inNetworkNamespace(request.netnsPath, start),
  );
  // Before the event loop turns: a process that has ended already is a zombie until then, and still has its start time.
  const startTime = child.pid === undefined ? undefined : readProcessStat(child.pid)?.startTime;
  let exit: ProcessExit | undefined;
  child.once("exit", (exitCode, signal) => {
    exit = { exitCode: exitCode ?? undefined, signal: signal ?? undefined };
  });
  await once(child, "spawn");
  child.unref();
  if (child.pid === undefined || startTime === undefined)
    throw new Error(`${request.command} was started, but /proc does not show it`);
  const identity: ProcessIdentity = { bootId: bootId(), pid: child.pid, startTime };
  const process = {
    identity,
    get exit() {
      return exit;
    },
  };
  return { process, child };
}

/** A directory that is missing would be reported as a program that is missing. */
async function checkDirectory(cwd: string | undefined): Promise<void> {
  if (cwd === undefined || (await stat(cwd)).isDirectory()) return;
  throw new SystemError(constants.errno.ENOTDIR, `chdir '${cwd}'`);
}
