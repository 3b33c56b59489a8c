import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { connect } from "./wire.ts";

/** How the simulator is started from its sources. */
export const SIMULATOR: readonly string[] = [
  process.execPath,
  "--conditions=@silkvm/source",
  fileURLToPath(new URL("../../src/main.ts", import.meta.url)),
];

/** The program that stands for cloud-hypervisor: `CH_PROGRAM`, or the simulator's sources. */
export function vmmCommand(): readonly string[] {
  const given = process.env["CH_PROGRAM"];
  return given === undefined ? SIMULATOR : [given];
}

/** How a program ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program that the replay started. */
export class Program {
  /** The VMM's name in the recording; the step of a program that is no VMM. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly pid: number;
  readonly ended: Promise<Ending>;
  ending: Ending | undefined;
  /** Whether a row of the recording has told of its end, so that no other row is about it. */
  accounted = false;
  readonly #child: ChildProcess;
  readonly #output: string;

  private constructor(name: string, argv: readonly string[], child: ChildProcess, output: string) {
    this.name = name;
    this.argv = argv;
    this.pid = child.pid ?? -1;
    this.#child = child;
    this.#output = output;
    this.ended = new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.ending = { code, signal };
        resolve(this.ending);
      };
      child.once("exit", finish);
      child.once("error", () => finish(127, null));
    });
  }

  /** Starts a program in a directory. Its output goes to files in `logs`. */
  static start(
    name: string,
    command: readonly string[],
    options: {
      readonly argv: readonly string[];
      readonly cwd: string;
      readonly env: NodeJS.ProcessEnv;
      readonly output: string;
    },
  ): Program {
    const out = openSync(`${options.output}.out`, "w");
    const err = openSync(`${options.output}.err`, "w");
    const [file = "", ...rest] = command;
    const child = spawn(file, rest, {
      cwd: options.cwd,
      env: options.env,
      stdio: ["ignore", out, err],
    });
    closeSync(out);
    closeSync(err);
    return new Program(name, options.argv, child, options.output);
  }

  get stdout(): string {
    return readFileSync(`${this.#output}.out`, "utf8");
  }

  get stderr(): string {
    return readFileSync(`${this.#output}.err`, "utf8");
  }

  get running(): boolean {
    return this.ending === undefined;
  }

  /** The path of its API socket, as it was given. */
  get socket(): string | undefined {
    const at = this.argv.indexOf("--api-socket");
    return at === -1 ? undefined : this.argv[at + 1]?.replace(/^path=/, "");
  }

  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void {
    if (this.running) this.#child.kill(name);
  }

  /** Ends it as the recorder ends what it no longer needs. */
  async kill(): Promise<void> {
    this.accounted = true;
    this.signal("SIGKILL");
    await this.ended;
  }

  /** Waits for its end; undefined where it is still running after `ms`. */
  async waitEnd(ms: number): Promise<Ending | undefined> {
    const timer = new AbortController();
    const ending = await Promise.race([
      this.ended,
      pause(ms, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    return ending ?? undefined;
  }

  /** Waits until its socket takes connections, or until it has ended. */
  async waitReady(root: string, ms: number): Promise<boolean> {
    const path = this.socket === undefined ? undefined : join(root, this.socket);
    for (const stop = Date.now() + ms; this.running && Date.now() < stop;) {
      if (path !== undefined && existsSync(path)) {
        try {
          const socket = await connect(path);
          socket.destroy();
          return true;
        } catch {
          // A socket that a killed program left.
        }
      }
      await Promise.race([this.ended, pause(5)]);
    }
    return false;
  }
}
