import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chSimEnv, type ChSimOptions } from "../../src/tools.ts";
import { Program, SIMULATOR } from "../replay/program.ts";
import { type NoReply, type Reply, request } from "../replay/wire.ts";

/** A kernel that is enough for the simulator. */
export const KERNEL = Buffer.from("\u007fELF").toString("latin1");
const READY_MS = 15_000;

/** One simulated VMM. */
export class Sim {
  readonly program: Program;
  readonly directory: string;

  constructor(program: Program, directory: string) {
    this.program = program;
    this.directory = directory;
  }

  get socket(): string {
    return join(this.directory, this.program.socket ?? "");
  }

  /** Makes a call, and gives its status and its body, as JSON where it is any. */
  async call(name: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const reply = await this.reply(name, body);
    if (typeof reply === "string") return { status: 0, body: reply };
    return {
      status: reply.status,
      body: reply.body === "" ? undefined : (JSON.parse(reply.body) as unknown),
    };
  }

  /** Makes a call, and gives its answer as it came. */
  async reply(name: string, body?: unknown): Promise<Reply | NoReply> {
    const method = /^(?:vm\.info|vm\.counters|vmm\.ping)$/.test(name) ? "GET" : "PUT";
    const text = body === undefined ? null : JSON.stringify(body);
    return await request(this.socket, { method, path: `/api/v1/${name}`, body: text });
  }

  /** What `vm.info` tells. */
  async info(): Promise<Info> {
    return (await this.call("vm.info")).body as Info;
  }
}

/** What the tests look at in `vm.info`. */
export interface Info {
  readonly state: string;
  readonly memory_actual_size: number;
  readonly config: Readonly<Record<string, never>> & {
    readonly console: { readonly file?: string };
    readonly serial: { readonly file?: string };
    readonly disks?: readonly { readonly id: string; readonly path: string }[];
    readonly cpus: { readonly boot_vcpus: number };
  };
  readonly device_tree?: Readonly<Record<string, unknown>>;
}

/** A directory of its own for a test, with the simulated VMMs in it. All of it goes with `dispose`. */
export class Place {
  readonly directory = mkdtempSync(join(tmpdir(), "ch-sim-"));
  readonly #sims: Sim[] = [];

  /** Starts a VMM, and waits for its socket. */
  async start(
    argv: readonly string[] = [],
    options: ChSimOptions & { readonly socket?: string } = {},
  ): Promise<Sim> {
    const sim = this.launch(["--api-socket", options.socket ?? "api.sock", ...argv], options);
    if (!(await sim.program.waitReady(this.directory, READY_MS))) {
      throw new Error(`no socket: ${sim.program.stderr}`);
    }
    return sim;
  }

  /** Starts the program, and does not wait. */
  launch(argv: readonly string[], options: ChSimOptions = {}, env: NodeJS.ProcessEnv = {}): Sim {
    const tapDirectory = join(this.directory, "taps");
    const program = Program.start("sim", [...SIMULATOR, ...argv], {
      argv,
      cwd: this.directory,
      env: { ...process.env, ...chSimEnv({ tapDirectory, ...options }), ...env },
      output: join(this.directory, `output-${this.#sims.length}`),
    });
    const sim = new Sim(program, this.directory);
    this.#sims.push(sim);
    return sim;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#sims.map(({ program }) => program.kill()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}
