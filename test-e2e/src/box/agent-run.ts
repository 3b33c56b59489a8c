import { type ChildProcess, spawn } from "node:child_process";
import type { Answer, RunRequest } from "./protocol.ts";

/** Runs a program to its end, or to its deadline. */
export async function runProgram(request: RunRequest): Promise<Omit<Answer, "id">> {
  const { argv, input, until, timeoutMs } = request;
  const [command = "", ...args] = argv;
  const child = spawn(command, args, {
    cwd: "/root",
    env: { ...process.env, ...request.env },
    // A group of its own: its deadline is its children's, too.
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
    // A child of its own that has left the group may hold their other ends.
    child.stdout.destroy();
    child.stderr.destroy();
  }, timeoutMs);
  child.stdin.on("error", () => undefined);
  child.stdin.write(input);
  if (until === undefined) child.stdin.end();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (until !== undefined && stdout.includes(until)) child.stdin.end();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const { promise, resolve } = Promise.withResolvers<Omit<Answer, "id">>();
  child.on("error", ({ message }) => resolve({ code: 127, stdout, stderr: message, timedOut }));
  child.on("close", (code) => resolve({ code: code ?? 128, stdout, stderr, timedOut }));
  const message = await promise;
  clearTimeout(timer);
  return message;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
