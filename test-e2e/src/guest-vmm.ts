import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { GuestConsole } from "./guest-console.ts";

/** Waits until `look` returns something, looking every two milliseconds. Throws when that takes too long. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 5_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await pause(2);
  }
}

/** What of `vm.info` the guest's tests look at. */
interface VmInfo {
  readonly state: string;
  readonly config: { readonly console: { readonly file?: string } };
  readonly device_tree?: Readonly<Record<string, unknown>>;
}

/** A Cloud Hypervisor that runs on its own, without silk, in a directory that goes with it. */
export class GuestVmm implements AsyncDisposable {
  readonly dir: string;
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #socket: string;

  private constructor(dir: string, child: ChildProcess, socket: string) {
    this.dir = dir;
    this.#process = child;
    this.#exit = once(child, "exit");
    this.#socket = socket;
  }

  /** Starts the program with these arguments; a function gets the directory that sockets and disks can go to. */
  static async start(
    chPath: string,
    args: (dir: string) => readonly string[] | Promise<readonly string[]>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<GuestVmm> {
    const dir = await mkdtemp(join(tmpdir(), "silk-guest-"));
    const socket = join(dir, "api.sock");
    const log = openSync(join(dir, "vmm.log"), "w");
    const child = spawn(chPath, ["--api-socket", socket, ...(await args(dir))], {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    const vmm = new GuestVmm(dir, child, socket);
    await until("the API answers", async () => vmm.#answers());
    return vmm;
  }

  /** One call of the API: its status and its body as JSON. */
  async call(
    method: "GET" | "PUT",
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: unknown }> {
    const text = body === undefined ? "" : JSON.stringify(body);
    const headers = {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(text),
    };
    return new Promise((resolve, reject) => {
      const sent = request({
        socketPath: this.#socket,
        path: `/api/v1/${path}`,
        method,
        headers,
        agent: false,
      });
      sent.on("error", reject).on("response", (response) => {
        let received = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (received += chunk)).on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: received ? JSON.parse(received) : undefined,
          }),
        );
      });
      sent.end(text);
    });
  }

  /** A PUT that has to succeed. */
  async put(path: string, body?: unknown): Promise<void> {
    const answer = await this.call("PUT", path, body);
    if (answer.status >= 300)
      throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async info(): Promise<VmInfo> {
    return (await this.call("GET", "vm.info")).body as VmInfo;
  }

  /** Whether the VMM still has a device of this id: it does until the guest has let go of it. */
  async hasDevice(id: string): Promise<boolean> {
    return id in ((await this.info()).device_tree ?? {});
  }

  /** Opens the virtio console as soon as the VM has one. */
  async openPty(): Promise<GuestConsole> {
    const path = await until("the console has a PTY", async () => {
      const { status, body } = await this.call("GET", "vm.info");
      return status === 200 ? (body as VmInfo).config.console.file : undefined;
    });
    return GuestConsole.openPty(path);
  }

  /** Connects to the serial line of a VM that was started with `--serial socket=<dir>/serial.sock`. */
  async openSerial(): Promise<GuestConsole> {
    const path = join(this.dir, "serial.sock");
    return until("the serial line has a socket", async () =>
      GuestConsole.openSocket(path).catch(() => undefined),
    );
  }

  /** The exit code, once the VMM has ended on its own. */
  async exited(timeoutMs = 5_000): Promise<number | null> {
    await until(
      "the VMM has ended",
      () => this.#process.exitCode !== null || this.#process.signalCode !== null,
      timeoutMs,
    );
    return this.#process.exitCode;
  }

  isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning()) {
      this.#process.kill("SIGKILL");
      await this.#exit;
    }
    await rm(this.dir, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    if (!this.isRunning())
      throw new Error(`The VMM ended:\n${readFileSync(join(this.dir, "vmm.log"), "utf8")}`);
    return this.call("GET", "vmm.ping").then(
      () => true,
      () => false,
    );
  }
}
