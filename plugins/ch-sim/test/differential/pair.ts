import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { Program, SIMULATOR } from "../replay/program.ts";
import { fatalError, normalJson, normalStderr } from "../replay/normalize.ts";
import { exitOf } from "../replay/run-proc.ts";
import { request } from "../replay/wire.ts";

/** The program that the simulator stands in for: named, or found by its name. */
const REAL = process.env["CH_REAL_PROGRAM"] ?? "cloud-hypervisor";
const END_MS = 10_000;
const ARGUMENTS_MS = 300;
const HANG_MS = 3_000;

/** Whether the real program, of the version that is simulated, can run VMs here. */
export function hasRealProgram(): boolean {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    const { stdout } = spawnSync(REAL, ["--version"], { encoding: "utf8" });
    return stdout.startsWith("cloud-hypervisor v53");
  } catch {
    return false;
  }
}

/** A call to make: its name, with a body for one that has one. */
export type Step = readonly [call: string, body?: unknown];

/** Which of the two programs. */
export type Side = "real" | "simulated";

/** Two directories, in which the real program and the simulator do the same things with relative paths of the same names. */
export class Pair {
  readonly #root = mkdtempSync(join(tmpdir(), "ch-pair-"));
  readonly directories: Readonly<Record<Side, string>>;
  #started = 0;

  constructor(prepare: (directory: string) => void) {
    this.directories = {
      real: mkdtempSync(join(this.#root, "a-")),
      simulated: mkdtempSync(join(this.#root, "b-")),
    };
    for (const directory of Object.values(this.directories)) prepare(directory);
  }

  /** Makes calls to a VMM of their own, one after the other, and gives what came of each as a text. */
  async calls(side: Side, steps: readonly Step[], argv: readonly string[] = []): Promise<string[]> {
    const program = this.#start(side, ["--api-socket", "api.sock", ...argv]);
    const socket = join(this.directories[side], "api.sock");
    const results: string[] = [];
    try {
      if (!(await program.waitReady(this.directories[side], END_MS)))
        return [this.#ending(program)];
      // What the arguments ask for may be the end of it.
      if (argv.length > 0 && (await program.waitEnd(ARGUMENTS_MS)) !== undefined)
        return [this.#ending(program)];
      for (const [call, body] of steps) {
        const result = await Promise.race([one(socket, call, body), pause(HANG_MS, undefined)]);
        results.push(result ?? `${call} is not answered`);
        if (result === undefined) return results;
      }
      const ending = await program.waitEnd(50);
      if (ending !== undefined) results.push(this.#ending(program));
      return results;
    } finally {
      program.signal("SIGTERM");
      if ((await program.waitEnd(2_000)) === undefined) await program.kill();
    }
  }

  /** Runs a program to its end, and gives what came of it as a text. */
  async command(side: Side, argv: readonly string[]): Promise<string> {
    const program = this.#start(side, argv);
    if ((await program.waitEnd(END_MS)) === undefined) {
      await program.kill();
      return "still running";
    }
    return this.#ending(program);
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #start(side: Side, argv: readonly string[]): Program {
    const command = side === "real" ? [REAL] : SIMULATOR;
    const directory = this.directories[side];
    const shim = process.env["CH_REAL_PRELOAD"];
    const env =
      side === "real"
        ? {
            ...process.env,
            RUST_BACKTRACE: "0",
            RUST_LIB_BACKTRACE: "0",
            ...(shim === undefined ? {} : { LD_PRELOAD: shim }),
          }
        : { ...process.env, ...simulatorEnv(directory) };
    const output = join(this.#root, `${side}-${this.#started++}`);
    return Program.start(side, [...command, ...argv], { argv, cwd: directory, env, output });
  }

  #ending(program: Program): string {
    const fatal = fatalError(program.stderr);
    return [
      `exit ${exitOf(program)}`,
      program.stdout,
      normalStderr(program.stderr),
      ...(fatal === undefined ? [] : [fatal]),
    ].join("\n");
  }
}

async function one(socket: string, call: string, body: unknown): Promise<string> {
  const method = /info|ping|counters/.test(call) ? "GET" : "PUT";
  const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
  const reply = await request(socket, { method, path: `/api/v1/${call}`, body: text });
  const title = `${call} ${text ?? ""}`.trim();
  if (typeof reply === "string") return `${title} -> ${reply}`;
  return `${title} -> ${reply.status} ${normalJson(reply.body, call === "vm.counters")}`;
}

/** What the simulator has to know of this host to be like the real program on it. */
function simulatorEnv(directory: string): Record<string, string> {
  const bits = /address sizes\s*: (\d+) bits physical/.exec(
    readFileSync("/proc/cpuinfo", "utf8"),
  )?.[1];
  return {
    CH_SIM_HOST: JSON.stringify({ physicalBits: Math.min(46, Number(bits ?? 46)) }),
    CH_SIM_GUEST: JSON.stringify({
      ackRemoval: "never",
      ackVcpus: "never",
      ackMemory: "never",
      powerButton: "ignore",
    }),
    CH_SIM_TAP_DIR: join(directory, "taps"),
  };
}
