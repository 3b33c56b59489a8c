import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createChClient, waitForApi, type ChClient, type WaitOptions } from "../../src/index.ts";
import { tinyKernel } from "./tiny-kernel.ts";

const program = "cloud-hypervisor";

/** Whether the real program is on PATH and the machine lets it run VMs. */
export const realVmmFound: boolean = spawnSync(program, ["--version"]).status === 0 && kvmOpens();

/** A directory of a test, with a kernel in it. */
export class Workplace implements AsyncDisposable {
  readonly directory: string;
  readonly kernel: string;

  static async make(): Promise<Workplace> {
    const place = new Workplace(await mkdtemp(join(tmpdir(), "ch-real-")));
    await writeFile(place.kernel, tinyKernel());
    return place;
  }

  private constructor(directory: string) {
    this.directory = directory;
    this.kernel = join(directory, "kernel");
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A running VMM, ended with the test. */
export class RealVmm implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly client: ChClient;
  /** What it wrote to stderr so far. */
  log = "";

  /** Starts a VMM whose API socket, as its arguments say, is the given one; `pipes` are its descriptors from 3 on. */
  static start(socketPath: string, args: readonly string[], pipes: number = 0): RealVmm {
    const stdio: "pipe"[] = Array.from({ length: pipes }, () => "pipe");
    return new RealVmm(
      spawn(program, [...args], { stdio: ["ignore", "ignore", "pipe", ...stdio] }),
      socketPath,
    );
  }

  /** Starts an empty VMM and waits for its API. */
  static async startEmpty(place: Workplace, name = "api.sock"): Promise<RealVmm> {
    const vmm = RealVmm.start(place.path(name), ["--api-socket", place.path(name)]);
    await waitForApi(vmm.client, vmm.waitOptions);
    return vmm;
  }

  private constructor(process: ChildProcess, socketPath: string) {
    this.process = process;
    this.client = createChClient({ socketPath });
    process.stderr?.on("data", (chunk) => (this.log += String(chunk)));
  }

  get isAlive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  get waitOptions(): WaitOptions {
    return { isAlive: () => this.isAlive, timeoutMs: 20_000 };
  }

  /** Descriptor `3 + index` of the VMM. */
  pipe(index: number): Readable {
    return this.process.stdio[3 + index] as Readable;
  }

  /** Waits until the process has ended; one that hangs in its end, as v53 may, is killed. */
  async ended(): Promise<void> {
    if (!this.isAlive) return;
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 5_000);
    await once(this.process, "exit");
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    if (this.isAlive) this.process.kill("SIGKILL");
    await this.ended();
  }
}

function kvmOpens(): boolean {
  try {
    closeSync(openSync("/dev/kvm", "r+"));
    return true;
  } catch {
    return false;
  }
}
