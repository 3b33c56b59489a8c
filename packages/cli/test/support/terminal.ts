import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { openPty, setWindowSize } from "@silkvm/sys";
import { type Sandbox, silkPath } from "./sandbox.ts";

/** `silk` on a terminal of its own. */
export interface TerminalRun extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Everything that was shown so far, with all sequences. */
  shown(): string;
  /** Types. */
  type(keys: string): void;
  /** Waits until the pattern is shown. */
  see(pattern: RegExp): Promise<void>;
  /** The terminal's settings, as `stty -g` writes them. */
  settings(): string;
  resize(size: { readonly rows: number; readonly columns: number }): void;
  /** The exit code. */
  ended(): Promise<number | null>;
}

export function runOnTerminal(
  sandbox: Sandbox,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): TerminalRun {
  const pty = openPty();
  setWindowSize(pty.fd, { rows: 24, columns: 80 });
  const slave = openSync(pty.path, constants.O_RDWR | constants.O_NOCTTY);
  const master = new ReadStream(pty.fd);
  let output = "";
  const watchers = new Set<() => void>();
  master.on("data", (bytes: Buffer) => {
    output += bytes.toString("latin1");
    for (const watcher of watchers) watcher();
  });
  // The other side hangs up.
  master.on("error", () => {});
  const child = spawn(process.execPath, [silkPath, ...args], {
    env: { ...sandbox.env, ...env },
    cwd: sandbox.dir,
    stdio: [slave, slave, slave],
  });
  const exit = Promise.withResolvers<number | null>();
  child.once("exit", (code) => exit.resolve(code));
  child.once("error", exit.reject);
  const plain = (): string => stripVTControlCharacters(output);
  return {
    child,
    shown: () => output,
    type: (keys) => void master.write(Buffer.from(keys, "latin1")),
    see: async (pattern) => {
      const seen = Promise.withResolvers<void>();
      const look = (): void => {
        if (pattern.test(plain())) seen.resolve();
      };
      const late = AbortSignal.timeout(15_000);
      late.addEventListener("abort", () =>
        seen.reject(new Error(`${pattern} was not shown, but ${JSON.stringify(plain())}`)),
      );
      watchers.add(look);
      look();
      await seen.promise.finally(() => watchers.delete(look));
    },
    settings: () => execFileSync("stty", ["-g"], { stdio: [slave, "pipe", "inherit"] }).toString(),
    resize: (size) => {
      setWindowSize(pty.fd, size);
      // The terminal is not the controlling one of the child, so the kernel does not tell it.
      child.kill("SIGWINCH");
    },
    ended: () => exit.promise,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exit.promise;
      closeSync(slave);
      master.destroy();
    },
  };
}
