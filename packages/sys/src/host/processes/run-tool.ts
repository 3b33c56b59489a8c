import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { ToolRequest, ToolResult } from "@silkvm/core";
import { longestTimerMs } from "../../delay.ts";
import { hasCode } from "../errors.ts";
import { capture } from "./capture.ts";
import { childEnvironment } from "./environment.ts";

const defaultTimeoutMs = 60_000;
/** What a program has to end by itself, and to clean up, once it was asked to. */
const graceMs = 1_000;

/**
 * Runs a program to its end, without a shell, in the C locale. A program that a signal ended has the exit code that a shell
 * would show: 128 and the signal's number.
 * It runs in a process group of its own, and a time-out, an abort or too much output ends the whole group (SIGTERM, after a
 * second SIGKILL): a helper that it left running would otherwise hold its output open, and this call up, for as long as it likes.
 * @throws ENOENT, EACCES where it cannot be started; ETIMEDOUT; the signal's reason when it aborts;
 *   ERR_CHILD_PROCESS_STDIO_MAXBUFFER where it prints more than 16 MiB
 */
export async function runTool(request: ToolRequest): Promise<ToolResult> {
  const { command, args, input, signal, timeoutMs = defaultTimeoutMs } = request;
  signal?.throwIfAborted();
  const child = spawn(command, args, {
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    env: childEnvironment({ LC_ALL: "C" }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<ToolResult>();
  let failure: { readonly reason: unknown } | undefined;
  const timers: NodeJS.Timeout[] = [];
  const end = (reason: unknown): void => {
    if (failure !== undefined) return;
    failure = { reason };
    killGroup(child, "SIGTERM");
    timers.push(setTimeout(() => killGroup(child, "SIGKILL"), graceMs));
    // Not even SIGKILL ends what waits for a disk that does not answer; the deadline counts all the same.
    timers.push(setTimeout(() => reject(reason), 2 * graceMs));
  };

  const stdout = capture(child.stdout, () => end(tooMuchOutput(command)));
  const stderr = capture(child.stderr, () => end(tooMuchOutput(command)));
  // A program may end without reading its input: its exit code says whether that was right.
  child.stdin?.on("error", () => {}).end(input);
  if (timeoutMs <= longestTimerMs)
    timers.push(setTimeout(() => end(timedOut(command, timeoutMs)), timeoutMs));
  const abort = (): void => end(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });

  child.once("error", reject);
  // After a failure the end of the program is enough: somebody outside of its group may hold the pipes open.
  child.once("exit", () => {
    if (failure !== undefined) reject(failure.reason);
  });
  child.once("close", (code, signalName) => {
    if (failure !== undefined) reject(failure.reason);
    else
      resolve({
        exitCode: code ?? 128 + signalNumber(signalName),
        stdout: stdout(),
        stderr: stderr(),
      });
  });
  try {
    return await promise;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    if (failure !== undefined) abandon(child);
  }
}

/** Ends what is left of the group, and lets this process end without it. */
function abandon(child: ChildProcess): void {
  killGroup(child, "SIGKILL");
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}

/** A group lives as long as any process of it, and its number with it. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!hasCode(error, "ESRCH")) throw error;
  }
}

function signalNumber(name: NodeJS.Signals | null): number {
  return name === null ? 0 : constants.signals[name];
}

function timedOut(command: string, timeoutMs: number): Error {
  return Object.assign(new Error(`${command} did not end within ${timeoutMs} ms`), {
    code: "ETIMEDOUT",
  });
}

function tooMuchOutput(command: string): Error {
  return Object.assign(new Error(`${command} printed too much`), {
    code: "ERR_CHILD_PROCESS_STDIO_MAXBUFFER",
  });
}
