import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { silkPath } from "../support/sandbox.ts";

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program in a directory, with this environment and no other. */
export async function runSilk(
  argv: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ending> {
  const child = spawn(process.execPath, [silkPath, ...argv], {
    ...options,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = Promise.withResolvers<Pick<Ending, "code" | "signal">>();
  child.once("close", (code, signal) => ended.resolve({ code, signal }));
  child.once("error", ended.reject);
  const [stdout, stderr, end] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended.promise,
  ]);
  return { ...end, stdout, stderr };
}

/** What there is in a directory, and when it was last written to. */
export function traces(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .toSorted()
    .map((name) => {
      const { size, mtimeNs, mode } = statSync(join(dir, name), { bigint: true });
      return `${name} ${size} ${mtimeNs} ${mode}`;
    });
}
