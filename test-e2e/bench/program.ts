import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { silkPath } from "../src/silk.ts";
import { peakOf } from "./memory-of.ts";

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Exit codes that are no failure. Default: 0. */
  readonly codes?: readonly number[] | undefined;
}

/** Runs a program to its end, its output to a pipe, as a script would. @returns milliseconds of the whole process */
export function timeProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): number {
  const began = performance.now();
  const { status, signal, error, stderr } = spawnSync(command, args, {
    env: options.env,
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 2 ** 28,
  });
  const tookMs = performance.now() - began;
  if (error !== undefined) throw error;
  if (!(options.codes ?? [0]).includes(status ?? -1))
    throw new Error(
      `${command} ${args.join(" ")} ended with ${status ?? signal}: ${stderr.toString()}`,
    );
  return tookMs;
}

/** `silk` with these words. */
export function timeSilk(args: readonly string[], options: ProgramOptions): number {
  return timeProgram(process.execPath, [silkPath, ...args], options);
}

/** Node alone: below this no program of Node's can be. */
export function timeNode(options: ProgramOptions): number {
  return timeProgram(process.execPath, ["-e", "0"], options);
}

/** The environment of a user who has set nothing, with everything of silk below one directory. */
export function cleanEnvironment(dir: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: `${dir}/home`,
    SILK_ROOT_DIR: `${dir}/root`,
    SILK_RUN_DIR: `${dir}/run`,
    SILK_LOG_DIR: `${dir}/log`,
  };
}

/** Runs `silk` with these words. @returns as {@link peakOfProgram} */
export async function peakOfSilk(
  args: readonly string[],
  options: ProgramOptions,
): Promise<number> {
  return await peakOfProgram(process.execPath, [silkPath, ...args], options);
}

/** Runs a program. @returns the most MiB of memory that it had, as far as could be seen until shortly before its end */
export async function peakOfProgram(
  command: string,
  args: readonly string[],
  { env }: ProgramOptions,
): Promise<number> {
  const child = spawn(command, args, { env, stdio: "ignore" });
  const ended = once(child, "exit") as Promise<[code: number | null]>;
  let peakMib = 0;
  const look = setInterval(() => {
    peakMib = Math.max(peakMib, peakOf(child.pid as number) ?? 0);
  }, 5);
  const [code] = await ended;
  clearInterval(look);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${String(code)}`);
  return peakMib;
}
