import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Host,
  type Hypervisor,
  type OperationContext,
  type ProcessIdentity,
  silentLogger,
  type VmPaths,
  type VmRecord,
} from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { cloudHypervisor } from "../src/backend.ts";
import { guestKernel, type GuestProgram } from "./guests.ts";
import { pathsIn, vmRecord } from "./records.ts";
import type { TestVmm } from "./vmms.ts";

/** Directories and VMs of a test's own. At its end nothing of them is left, whatever the test did. */
export class Bench implements AsyncDisposable {
  readonly dir: string;
  readonly #chBinary: string;

  static async make(vmm: TestVmm): Promise<Bench> {
    const dir = await mkdtemp(join(tmpdir(), "silk-ch-"));
    return new Bench(dir, await vmm.program(dir));
  }

  private constructor(dir: string, chBinary: string) {
    this.dir = dir;
    this.#chBinary = chBinary;
  }

  /** The backend, on this machine or another host; its settings can be changed. */
  backend(host: Host = linuxHost(), settings: Record<string, unknown> = {}): Promise<Hypervisor> {
    return cloudHypervisor.open({
      host,
      logger: silentLogger,
      settings: { chBinary: this.#chBinary, startTimeoutMs: 20_000, ...settings },
      paths: pathsIn(this.dir),
    });
  }

  paths(vm: { readonly id: string }): VmPaths {
    return pathsIn(this.dir)(vm);
  }

  /** A kernel that does one thing; on a VMM that runs no guests, a file. */
  async kernel(program: GuestProgram): Promise<string> {
    const path = join(this.dir, `${program}.elf`);
    await writeFile(path, guestKernel(program));
    return path;
  }

  /** A record whose directories are there, as the engine makes them. */
  async vm(changes: Parameters<typeof vmRecord>[0] = {}): Promise<VmRecord> {
    const kernelPath = await this.kernel("sleep");
    const vm = vmRecord({ boot: { kind: "direct", kernelPath, cmdline: "" }, ...changes });
    const { dataDir, runDir } = this.paths(vm);
    for (const path of [dataDir, runDir]) await mkdir(path, { recursive: true });
    return vm;
  }

  /** Living processes that have this bench's directory among their arguments. */
  async processes(): Promise<readonly ProcessIdentity[]> {
    const found = await linuxHost().processes.find((argv) =>
      argv.some((argument) => argument.includes(this.dir)),
    );
    return found.map(({ identity }) => identity);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { processes } = linuxHost();
    for (const identity of await this.processes()) {
      await processes.signal(identity, "SIGKILL");
      await processes.waitForExit(identity, { timeoutMs: 5_000 });
    }
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** The context of a call that nobody watches. */
export function quiet(signal?: AbortSignal): OperationContext {
  return { signal, progress: () => {}, warn: () => {} };
}

/** A record that has been started. */
export async function started(backend: Hypervisor, vm: VmRecord): Promise<VmRecord> {
  const runtime = await backend.start(vm, quiet());
  return { ...vm, state: "running", firstBooted: true, runtime };
}

export const byForce = { force: true, graceMs: 0 };
