import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SilkErrorJson } from "@silkvm/core";
import type { Sandbox } from "./sandbox.ts";

/** The built program, as a user's shell would find it. */
export const silkPath = fileURLToPath(new URL("../../packages/cli/bin/silk.js", import.meta.url));

export interface Outcome {
  /** 128 and the signal's number where a signal ended it, as a shell has it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Words that go before the program, such as `setpriv --reuid 65534`. */
  readonly under?: readonly string[];
  readonly timeoutMs?: number;
}

/** A `silk` whose directories and VMM are a sandbox's. */
export function silkIn(sandbox: Sandbox) {
  const run = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> => {
    const { under = [] } = sandbox;
    const words = [...under, ...(options.under ?? []), process.execPath, silkPath, ...args];
    const [command, ...rest] = words as [string, ...string[]];
    const child = spawn(command, rest, {
      cwd: sandbox.dir,
      env: environment(sandbox, options.env),
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`silk ${args.join(" ")} did not end\n${stdout}${stderr}`));
    }, options.timeoutMs ?? 60_000);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? (signal === "SIGKILL" ? 137 : 143), stdout, stderr });
    });
    // A program that ends without reading its input is no failure of the test.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    return promise;
  };

  return {
    ...silkVerbs(run),
    /** Starts a command that goes on, and gives its lines as they come. */
    start(args: readonly string[]) {
      const words = [...(sandbox.under ?? []), process.execPath, silkPath, ...args];
      const [command = "", ...wordsAfter] = words;
      const child = spawn(command, wordsAfter, {
        cwd: sandbox.dir,
        env: environment(sandbox),
        stdio: ["pipe", "pipe", "inherit"],
      });
      const lines: string[] = [];
      let rest = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        const parts = (rest + text).split("\n");
        rest = parts.pop() ?? "";
        lines.push(...parts);
      });
      const ended = new Promise<number>((resolve) =>
        child.on("close", (code) => resolve(code ?? 143)),
      );
      return { child, lines, ended };
    },
  };
}

export type Silk = ReturnType<typeof silkIn>;

/** What tests do with a `silk`, wherever it runs. */
export function silkVerbs<Options>(
  run: (args: readonly string[], options?: Options) => Promise<Outcome>,
) {
  return {
    run,
    /** Runs a command that must succeed, and gives what it printed on stdout. */
    async ok(...args: readonly string[]): Promise<string> {
      const { code, stdout, stderr } = await run(args);
      if (code !== 0)
        throw new Error(`silk ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
      return stdout;
    },
    /** Runs a command that must succeed with --json, and gives the object. */
    async json<T>(...args: readonly string[]): Promise<T> {
      return JSON.parse(await this.ok(...withJson(args))) as T;
    },
    /** Runs a command that must fail, and gives its error as --json has it. */
    async error(
      args: readonly string[],
      options?: Options,
    ): Promise<SilkErrorJson & { readonly exitCode: number }> {
      const { code, stdout, stderr } = await run(withJson(args), options);
      if (code === 0) throw new Error(`silk ${args.join(" ")} succeeded\n${stdout}${stderr}`);
      const parsed = JSON.parse(stdout) as {
        error?: SilkErrorJson;
        failed?: { error: SilkErrorJson }[];
      };
      const error = parsed.error ?? parsed.failed?.[0]?.error;
      if (error === undefined) throw new Error(`no error in ${stdout}`);
      return { ...error, exitCode: code };
    },
  };
}

/** In front of what may be a container's image: what is behind that is the container's. */
function withJson(args: readonly string[]): readonly string[] {
  const [topic, command, ...rest] = args;
  return topic === "vm" && ["run", "create", "debug"].includes(command ?? "")
    ? [topic, command as string, "--json", ...rest]
    : [...args, "--json"];
}

export type SilkVerbs<Options> = ReturnType<typeof silkVerbs<Options>>;

function environment(sandbox: Sandbox, env: RunOptions["env"] = {}): NodeJS.ProcessEnv {
  // The host's own settings of silk, and a Rust backtrace in the VMM's errors, are no part of the test.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("SILK_") && name !== "RUST_BACKTRACE",
  );
  return { ...Object.fromEntries(inherited), NO_COLOR: "1", ...sandbox.env, ...env };
}
