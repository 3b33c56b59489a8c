import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { chSimEnv, type ChSimOptions, chSimPath } from "@silkvm/ch-sim";
import { linuxHost } from "@silkvm/sys";

/** The built program, started as a user starts it. */
export const silkPath: string = join(import.meta.dirname, "../../bin/silk.js");

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly input?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Directories of a test's own, and a VMM that runs anywhere. */
export interface Sandbox extends AsyncDisposable {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** What makes a small VM that the simulated VMM is content with. */
  readonly vmFlags: readonly string[];
  readonly spawn: (args: readonly string[], options?: RunOptions) => ChildProcessWithoutNullStreams;
  /** Runs `silk` to its end. */
  readonly silk: (args: readonly string[], options?: RunOptions) => Promise<Outcome>;
  /** Runs `silk`, which must succeed, and gives its stdout without the last newline. */
  readonly ok: (...args: string[]) => Promise<string>;
  /** Runs `silk … --json`, whatever becomes of it, and gives what it printed. */
  readonly json: <T = Record<string, unknown>>(...args: string[]) => Promise<T>;
}

/** What the caller's environment must not decide. */
const ours = /^(SILK_|XDG_|NO_COLOR$|FORCE_COLOR$|OCLIF_|DEBUG$|NODE_ENV$|CI$)/;

export async function makeSandbox(sim: ChSimOptions = {}): Promise<Sandbox> {
  const dir = await mkdtemp(join(tmpdir(), "silk-cli-"));
  const kernel = join(dir, "vmlinux");
  await writeFile(kernel, "\u007fELF is all that the simulated VMM looks for");
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const env: Record<string, string> = {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    ...chSimEnv(sim),
    HOME: join(dir, "home"),
    XDG_DATA_HOME: join(dir, "data"),
    XDG_CONFIG_HOME: join(dir, "config"),
    XDG_CACHE_HOME: join(dir, "cache"),
    SILK_ROOT_DIR: join(dir, "root"),
    SILK_RUN_DIR: join(dir, "run"),
    SILK_LOG_DIR: join(dir, "log"),
    SILK_CONFIG: join(dir, "silk.json"),
    SILK_CH_BINARY: await simulatedVmm(dir),
    TERM: "xterm-256color",
  };
  await writeFile(join(dir, "silk.json"), "{}\n");

  const children = new Set<ChildProcessWithoutNullStreams>();
  const start: Sandbox["spawn"] = (args, options = {}) => {
    const child = spawn(process.execPath, [silkPath, ...args], {
      env: { ...env, ...options.env },
      cwd: dir,
    });
    children.add(child);
    child.once("exit", () => children.delete(child));
    // A child that does not read its input is no failure of the test.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    return child;
  };
  const silk: Sandbox["silk"] = async (args, options) => await outcomeOf(start(args, options));
  return {
    dir,
    env,
    vmFlags: ["--kernel", kernel, "--cpus", "1", "--memory", "64M", "--storage", "0"],
    spawn: start,
    silk,
    ok: async (...args) => {
      const { code, stdout, stderr } = await silk(args);
      if (code !== 0) throw new Error(`silk ${args.join(" ")} ended with ${code}: ${stderr}`);
      return stdout.replace(/\n$/, "");
    },
    json: async (...args) => JSON.parse((await silk([...args, "--json"])).stdout),
    [Symbol.asyncDispose]: async () => {
      // What a test that failed did not wait for.
      for (const child of children) child.kill("SIGKILL");
      const { processes } = linuxHost();
      const left = await processes.find((argv) => argv.some((word) => word.includes(dir)));
      for (const { identity } of left) {
        await processes.signal(identity, "SIGKILL");
        await processes.waitForExit(identity, { timeoutMs: 5000 });
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export async function outcomeOf(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  const ended = Promise.withResolvers<Pick<Outcome, "code" | "signal">>();
  child.once("close", (code, signal) => ended.resolve({ code, signal }));
  child.once("error", ended.reject);
  const [stdout, stderr, end] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended.promise,
  ]);
  return { ...end, stdout, stderr };
}

/** A program to be named as the VMM: the simulated one, which may need Node in front of it. */
async function simulatedVmm(dir: string): Promise<string> {
  if (!chSimPath.endsWith(".ts") && (await isExecutable(chSimPath))) return chSimPath;
  const path = join(dir, "cloud-hypervisor");
  const conditions = chSimPath.endsWith(".ts") ? "--conditions=@silkvm/source " : "";
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' ${conditions}'${chSimPath}' "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
