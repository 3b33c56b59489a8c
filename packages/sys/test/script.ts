import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Another Node process, killed when its scope ends. */
export interface Script extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Its next line of output; undefined after its end. */
  line(): Promise<string | undefined>;
  /** Kills it as the kernel would, and waits for its death. */
  kill(): Promise<void>;
}

/**
 * Runs a piece of JavaScript in another Node process. It finds this package as `sys`, and its arguments as `args`.
 */
export function startScript(body: string, ...args: string[]): Script {
  const child = spawn(process.execPath, scriptArguments(body, ...args), {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  return {
    child,
    line: async () => ((await lines.next()) as { value?: string }).value,
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

/** The arguments that make Node run such a piece of JavaScript. */
export function scriptArguments(body: string, ...args: string[]): string[] {
  const index = new URL("../src/index.ts", import.meta.url).href;
  const source = `import * as sys from ${JSON.stringify(index)};\nconst args = process.argv.slice(1);\n${body}`;
  return ["--conditions=@silkvm/source", "--input-type=module", "-e", source, "--", ...args];
}
