import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import type { ContainerRun, GuestExit } from "@silkvm/core";
import { createRawDisk } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { readExitStatus, runDiskContent } from "../src/index.ts";
import { type Bed, has, isRoot } from "./bed.ts";

const qemu = "qemu-system-x86_64";
const hasKernel =
  existsSync("/boot") && readdirSync("/boot").some((name) => name.startsWith("vmlinuz-"));
/** Linux boots here: not fast, but as it does anywhere. */
export const canBoot =
  process.arch === "x64" && has(qemu) && has("busybox") && has("mkfs.ext4") && hasKernel;
if (!canBoot)
  console.warn("skipped: QEMU, busybox-static, mkfs.ext4 or a kernel in /boot is not there");

const virtiofsd = "/usr/lib/qemu/virtiofsd";
export const canShare = isRoot && existsSync(virtiofsd);
if (!canShare) console.warn("skipped in part: QEMU's virtiofsd is not there, or needs root");

const mebibyte = 1024 ** 2;

export interface MachineFiles {
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** The lowest first. */
  readonly layers: readonly { readonly path: string; readonly serial: string }[];
  readonly cowPath: string;
  readonly exitPath: string;
}

/** The disks of a VM that are its own. */
export async function makeDisks(
  bed: Bed,
  name: string,
): Promise<{ cowPath: string; exitPath: string }> {
  const [cowPath, exitPath] = [bed.path(`${name}-cow.raw`), bed.path(`${name}-exit.raw`)] as const;
  const host = linuxHost();
  await createRawDisk(host, { path: cowPath, sizeBytes: 64 * mebibyte, fstype: "ext4" });
  await createRawDisk(host, { path: exitPath, sizeBytes: mebibyte, fstype: "none" });
  return { cowPath, exitPath };
}

export interface Boot extends MachineFiles {
  /** Undefined: the VM has no disk that tells what to run. */
  readonly run?: ContainerRun | undefined;
  /** Further words of the kernel's command line. */
  readonly words?: readonly string[];
  /** Further words of QEMU's. */
  readonly qemu?: readonly string[];
}

export interface Ended {
  /** All that came from the console. */
  readonly output: string;
  readonly exit: GuestExit | undefined;
}

/** A VM in an emulated machine. */
export class Machine implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #files: MachineFiles;
  readonly #monitorPath: string;
  readonly #exit: Promise<void>;
  /** Of what comes by a pipe. */
  #piped = Buffer.alloc(0);
  readonly #outputPath: string | undefined;
  #errors = "";

  constructor(bed: Bed, boot: Boot) {
    this.#files = boot;
    const name = process.hrtime.bigint();
    this.#monitorPath = bed.path(`monitor-${name}`);
    // QEMU throws away what a pipe does not take at once, and a file takes everything.
    this.#outputPath = boot.run?.tty === true ? undefined : bed.path(`console-${name}`);
    const console =
      this.#outputPath === undefined ? "stdio,signal=off" : `file,path=${this.#outputPath}`;
    const disks = boot.layers.map(({ path, serial }) => disk(path, serial, true));
    disks.push(disk(boot.cowPath, "cocoon-cow", false), disk(boot.exitPath, "silk-exit", false));
    if (boot.run !== undefined) {
      const path = bed.path("run.img");
      writeFileSync(path, runDiskContent(boot.run));
      disks.push(disk(path, "silk-run", true));
    }
    const serials = boot.layers.map(({ serial }) => serial).toReversed();
    const words = [
      "console=hvc0 loglevel=3 no_timer_check boot=cocoon-overlay",
      `cocoon.layers=${serials.join(",")} cocoon.cow=cocoon-cow clocksource=kvm-clock rw`,
      ...(boot.words ?? []),
    ];
    this.#child = spawn(
      qemu,
      [
        ["-nodefaults", "-no-user-config", "-display", "none", "-M", "q35"],
        ["-accel", "tcg", "-m", "256", "-smp", "1"],
        ["-chardev", `${console},id=console`, "-device", "virtio-serial-pci"],
        ["-device", "virtconsole,chardev=console"],
        ["-monitor", `unix:${this.#monitorPath},server=on,wait=off`],
        ["-kernel", boot.kernelPath, "-initrd", boot.initrdPath, "-append", words.join(" ")],
        disks.flat(),
        boot.qemu ?? [],
      ].flat(),
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#piped = Buffer.concat([this.#piped, chunk]);
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.#exit = new Promise((resolve) => this.#child.on("close", () => resolve()));
  }

  /** Each byte is a character. */
  get output(): string {
    if (this.#outputPath === undefined) return this.#piped.toString("latin1");
    return existsSync(this.#outputPath) ? readFileSync(this.#outputPath, "latin1") : "";
  }

  /** Waits for something on the console. */
  async see(text: string | RegExp): Promise<void> {
    await this.until(() =>
      typeof text === "string" ? this.output.includes(text) : text.test(this.output),
    );
  }

  /** Waits for something that is seen by looking. */
  async until(isThere: () => boolean): Promise<void> {
    await until(isThere, () => {
      if (this.#isRunning()) return;
      throw new Error(`the machine ended: ${this.output}${this.#errors}`);
    }).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}: ${this.output}`);
    });
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Says something to QEMU. */
  async monitor(command: string): Promise<void> {
    const socket = createConnection(this.#monitorPath);
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("data", (chunk: Buffer) => {
        if (chunk.toString().includes("(qemu)")) resolve();
      });
    });
    socket.write(`${command}\n`);
    await new Promise<void>((resolve) => socket.end(() => resolve()));
  }

  /** Waits until the guest has turned itself off. */
  async ended(): Promise<Ended> {
    await until(() => !this.#isRunning());
    await this.#exit;
    if (this.#child.exitCode !== 0) throw new Error(`QEMU failed: ${this.#errors}`);
    return {
      output: this.output,
      exit: await readExitStatus(linuxHost(), this.#files.exitPath),
    };
  }

  /** As a power failure. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

function disk(path: string, serial: string, isReadOnly: boolean): readonly string[] {
  const drive = `if=none,id=${serial},file=${path},format=raw,read-only=${isReadOnly ? "on" : "off"}`;
  return ["-drive", drive, "-device", `virtio-blk-pci,drive=${serial},serial=${serial}`];
}

async function until(isThere: () => boolean, check: () => void = () => {}): Promise<void> {
  for (const deadline = Date.now() + 60_000; !isThere();) {
    check();
    if (Date.now() > deadline) throw new Error("what was waited for did not come");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A directory that a virtiofsd shares, and what QEMU is told to have a port for it and to plug it in with the tag `data`. */
export async function shareDirectory(
  bed: Bed,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<
  AsyncDisposable & {
    readonly qemu: readonly string[];
    readonly chardev: string;
    readonly device: string;
  }
> {
  mkdirSync(bed.path(name));
  for (const [file, text] of Object.entries(files)) writeFileSync(bed.path(name, file), text);
  const socket = bed.path(`${name}.sock`);
  const child = spawn(
    virtiofsd,
    ["-f", "-o", `source=${bed.path(name)},sandbox=chroot`, `--socket-path=${socket}`],
    { stdio: "ignore" },
  );
  await until(() => existsSync(socket));
  return {
    qemu: [
      [
        "-object",
        "memory-backend-memfd,id=memory,size=256M,share=on",
        "-numa",
        "node,memdev=memory",
      ],
      ["-device", "pcie-root-port,id=socket0,slot=1"],
    ].flat(),
    chardev: `chardev-add socket,id=share,path=${socket}`,
    device: "device_add vhost-user-fs-pci,id=share,chardev=share,tag=data,bus=socket0",
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = new Promise((resolve) => child.on("exit", resolve));
      child.kill("SIGKILL");
      await exit;
    },
  };
}
