import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { toReplay } from "./paths.ts";
import { Program, vmmCommand } from "./program.ts";
import type { ProcRow } from "./rows.ts";

/** The place in which a recording is replayed: a directory that stands for `/`, and the programs that were started. */
export class Sandbox {
  readonly root: string;
  readonly taps: string;
  readonly programs: Program[] = [];
  readonly #logs: string;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), "ch-replay-"));
    this.taps = join(this.root, "replay-taps");
    this.#logs = join(this.root, "replay-logs");
    mkdirSync(this.taps);
    mkdirSync(this.#logs);
  }

  /** Where a recorded path is. Its parent is made. */
  place(recorded: string): string {
    const path = this.where(recorded);
    if (path.startsWith(this.root)) mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  /** Where a recorded path is. */
  where(recorded: string): string {
    const path = toReplay(recorded);
    return path.startsWith("/") ? path : join(this.root, path);
  }

  /** A path for what only the replay knows of. */
  own(name: string): string {
    return join(this.#logs, name);
  }

  /** Starts what a row tells, with the arguments' paths replaced. */
  start(name: string, row: ProcRow, env: Readonly<Record<string, string>>): Program {
    const [program = "", ...rest] = row.argv ?? [];
    const argv = rest.map(toReplay);
    const isVmm = program.endsWith("cloud-hypervisor");
    const command = isVmm ? vmmCommand() : [program];
    const started = Program.start(name, [...command, ...argv], {
      argv,
      cwd: this.root,
      env: { ...process.env, ...env },
      output: this.own(`${this.programs.length}-${name.replaceAll(/\W+/g, "-")}`),
    });
    this.programs.push(started);
    return started;
  }

  /** The programs that are still running. */
  get running(): Program[] {
    return this.programs.filter((program) => program.running);
  }

  /** The youngest program of a name. */
  named(name: string): Program | undefined {
    return this.programs.findLast((program) => program.name === name);
  }

  /** Kills what is left, and removes everything. */
  async dispose(): Promise<void> {
    await Promise.all(this.running.map((program) => program.kill()));
    rmSync(this.root, { recursive: true, force: true });
  }
}
