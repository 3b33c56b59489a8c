import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { dirname } from "node:path";

const patienceMs = 5_000;

/** A VMM without silk: the program with the arguments that silk would give it, and the least that can be said to it over its socket. */
export interface RawVmm {
  readonly socketPath: string;
  readonly child: ChildProcess;
}

/**
 * The program's arguments with all its sockets and files in another directory.
 * @param command from the engine's `launchCommand`
 */
export function rawCommand(
  command: readonly string[],
  dir: string,
): { readonly argv: readonly string[]; readonly socketPath: string } {
  const socketPath = command[command.indexOf("--api-socket") + 1] as string;
  const runDir = dirname(socketPath);
  return {
    argv: command.map((word) => word.replaceAll(runDir, dir)),
    socketPath: socketPath.replaceAll(runDir, dir),
  };
}

/** Starts a VMM and waits until its guest runs: until `vm.info` says so, asked for again and again. */
export async function startRaw(command: readonly string[], dir: string): Promise<RawVmm> {
  const { argv, socketPath } = rawCommand(command, dir);
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  const exited = once(child, "exit").then(([code]) => {
    throw new Error(`the VMM ended with ${String(code)} instead of running its guest`);
  });
  exited.catch(() => {});
  await Promise.race([exited, untilRunning(socketPath)]);
  return { socketPath, child };
}

async function untilRunning(socketPath: string): Promise<void> {
  for (;;) {
    const answer = await call(socketPath, "GET", "vm.info").catch(() => "");
    if (answer.includes('"state":"Running"')) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Ends a VMM by its own call, and waits until it is gone. */
export async function stopRaw({ socketPath, child }: RawVmm): Promise<void> {
  const ended = untilGone(child);
  // It may be gone before its answer is out.
  await call(socketPath, "PUT", "vmm.shutdown").catch(() => {});
  await ended;
}

/** Waits until a VMM that was told to end is gone. One that refuses, or hangs after its answer, is killed. */
export async function untilGone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const last = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  await once(child, "exit");
  clearTimeout(last);
}

/** Makes the directory for a raw VMM's sockets anew. */
export async function freshDirectory(dir: string): Promise<string> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  return dir;
}

/** One call over a connection of its own, as curl makes it. @returns the answer's body, of an error too */
export async function call(
  socketPath: string,
  method: "GET" | "PUT",
  name: string,
  body?: unknown,
): Promise<string> {
  const answer = Promise.withResolvers<string>();
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
  const sent = request(
    { socketPath, method, path: `/api/v1/${name}`, agent: false, ...(text !== "" && { headers }) },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => answer.resolve(Buffer.concat(chunks).toString()));
      response.on("error", answer.reject);
    },
  );
  sent.on("error", answer.reject);
  sent.end(text);
  return await answer.promise;
}
