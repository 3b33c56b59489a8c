import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AgentLine, listenForAgent } from "./agent-line.ts";
import { bundleKernel } from "./bundled-kernel.ts";
import { guestCommandLine } from "./guest.ts";
import { makeInitramfs } from "./initramfs.ts";
import { vmlinuxOf } from "./kernel.ts";
import { type Machine, startMachine } from "./machine.ts";
import type { BoxParts } from "./needs.ts";
import { type Outcome, type SilkVerbs, silkPath, silkVerbs } from "../silk.ts";

const bootMs = 180_000;
const commandMs = 120_000;

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export interface BoxRunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Keeps stdin open until the program has printed this. */
  readonly until?: string;
  readonly timeoutMs?: number;
}

/** An emulated host that has KVM, with this machine's programs and files. */
export class Box implements AsyncDisposable {
  /** Paths, the same in the box as on this machine, of what Linux guests boot. */
  readonly guest: { readonly kernel: string; readonly initrd: string; readonly firmware: string };
  /** The built silk in the box, with the directories that it has by default. */
  readonly silk: SilkVerbs<BoxRunOptions>;
  /** The same, as words for a shell. */
  readonly silkCommand = `${process.execPath} ${silkPath}`;
  readonly #dir: string;
  readonly #machine: Machine;
  readonly #line: AgentLine;

  private constructor(dir: string, machine: Machine, line: AgentLine, guest: Box["guest"]) {
    this.#dir = dir;
    this.#machine = machine;
    this.#line = line;
    this.guest = guest;
    this.silk = silkVerbs((args, options) =>
      this.run([process.execPath, silkPath, ...args], options),
    );
  }

  /** Boots a box. What fails here, or in its tests, leaves nothing behind. */
  static async boot(parts: BoxParts): Promise<Box> {
    const dir = mkdtempSync(join(tmpdir(), "silk-box-"));
    await using undo = new AsyncDisposableStack();
    undo.defer(() => rmSync(dir, { recursive: true, force: true }));
    const guest = makeGuest(parts, dir);
    const initramfsPath = join(dir, "host.cpio.gz");
    writeFileSync(initramfsPath, hostInitramfs(parts));
    writeFileSync(join(dir, "host-settings"), hostSettings(parts));
    const hostInitPath = join(dir, "host-init");
    writeFileSync(hostInitPath, readFileSync(here("host-init.sh")));

    const agentSocketPath = join(dir, "agent.sock");
    const line = undo.use(await listenForAgent(agentSocketPath));
    const machine = undo.use(
      await startMachine(parts, { dir, initramfsPath, hostInitPath, agentSocketPath }),
    );
    const box = new Box(dir, machine, line, guest);
    await box.#isUp();
    undo.move();
    return box;
  }

  /** Runs a program in the box, whatever it ends with. Throws where it does not end in time. */
  async run(argv: readonly string[], options: BoxRunOptions = {}): Promise<Outcome> {
    const { env = {}, input = "", until, timeoutMs = commandMs } = options;
    const answer = await this.#line.ask({ argv, env, input, until, timeoutMs });
    if (answer.timedOut)
      throw new Error(`${argv.join(" ")} did not end\n${answer.stdout}${answer.stderr}`);
    return answer;
  }

  /** Runs a shell script in the box that must succeed, and gives what it printed. */
  async sh(script: string, options?: BoxRunOptions): Promise<string> {
    const { code, stdout, stderr } = await this.run(["sh", "-euc", script], options);
    if (code !== 0) throw new Error(`${script}\nended with ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /**
   * Runs a shell script in the guest whose NIC on the bridge br0 has this MAC, as soon as it answers there. It must succeed; what it
   * printed is given.
   */
  async guestSh(mac: string, script: string, timeoutMs = commandMs): Promise<string> {
    const address = `${linkLocal(mac)}%br0`;
    const { code, stdout, stderr } = await this.#line.ask({ address, script, timeoutMs });
    if (code !== 0)
      throw new Error(`in the guest: ${script}\nended with ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** The end of each log of the box. */
  logs(): string {
    return ["host", "qemu", "virtiofsd"]
      .map((name) => `--- ${name}.log\n${tail(join(this.#dir, `${name}.log`))}`)
      .join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#line[Symbol.dispose]();
    await this.#machine[Symbol.asyncDispose]();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #isUp(): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const watch = setInterval(() => {
      const why = this.#machine.ended();
      if (why !== undefined) reject(new Error(why));
    }, 200);
    const deadline = setTimeout(
      () => reject(new Error(`the box is not up after ${bootMs} ms`)),
      bootMs,
    );
    try {
      await Promise.race([this.#line.ready, promise]);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.logs()}`, { cause: error });
    } finally {
      clearInterval(watch);
      clearTimeout(deadline);
    }
  }
}

function hostInitramfs({ kernel, busyboxPath }: BoxParts): Buffer {
  const modules = ["virtio_pci", "virtiofs", "overlay"];
  const files = { init: readFileSync(here("host-initramfs.sh"), "utf8") };
  return makeInitramfs({ kernel, busyboxPath, modules, files });
}

function hostSettings({ vmmDir }: BoxParts): string {
  const path = `${vmmDir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return `path='${path}'\nnode='${process.execPath}'\nagent='${here("agent.ts")}'\n`;
}

/** Debian's kernel, and a system of busybox alone: apart for a direct boot, and in one for a boot as firmware. */
function makeGuest({ kernel, busyboxPath }: BoxParts, dir: string): Box["guest"] {
  const guest = {
    kernel: join(dir, "vmlinux"),
    initrd: join(dir, "guest.cpio.gz"),
    firmware: join(dir, "firmware"),
  };
  const files = { init: readFileSync(here("guest-init.sh"), "utf8") };
  const initramfs = makeInitramfs({ kernel, busyboxPath, modules: guestModules, files });
  const vmlinux = vmlinuxOf(kernel);
  writeFileSync(guest.kernel, vmlinux);
  writeFileSync(guest.initrd, initramfs);
  writeFileSync(guest.firmware, bundleKernel(vmlinux, guestCommandLine("ttyS0"), initramfs));
  return guest;
}

const guestModules = [
  "virtio_pci",
  "virtio_net",
  "virtio_blk",
  "virtio_console",
  "virtio_rng",
  "virtio_balloon",
  "virtiofs",
  "nvme",
  "button",
  "evdev",
];

/** The address that Linux gives a NIC of this MAC by itself (RFC 4291, appendix A). */
function linkLocal(mac: string): string {
  const bytes = mac.split(":").map((byte) => Number.parseInt(byte, 16));
  const id = [(bytes[0] ?? 0) ^ 2, ...bytes.slice(1, 3), 0xff, 0xfe, ...bytes.slice(3)];
  const hex = Buffer.from(id).toString("hex");
  return `fe80::${hex.match(/.{4}/g)?.join(":")}`;
}

function tail(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(-4_000);
  } catch {
    return "(none)\n";
  }
}
