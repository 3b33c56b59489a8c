import { execFile } from "node:child_process";

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: two minutes. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end. What it wrote is in the error where it fails. @returns its stdout */
export function run(
  program: string,
  args: readonly string[],
  { cwd, env = {}, timeoutMs = 120_000 }: RunOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { cwd, env: { ...process.env, ...env }, timeout: timeoutMs, maxBuffer: 64 * 1024 ** 2 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${error.message}\n${stdout}\n${stderr}`, { cause: error }));
      },
    );
  });
}
