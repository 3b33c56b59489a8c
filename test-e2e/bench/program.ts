import { spawnSync } from "node:child_process";
import { silkPath } from "../src/silk.ts";

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
