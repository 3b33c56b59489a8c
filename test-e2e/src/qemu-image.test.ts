import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cmdlineOf, type VmRecord } from "@silkvm/core";
import imagesPlugin, { openImages } from "@silkvm/images";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { guestCommandLine } from "./box/guest.ts";
import { makeLayeredImage } from "./box/layered-image.ts";
import { findBoxParts } from "./box/needs.ts";
import { until } from "./guest-vmm.ts";
import { makeSandbox } from "./sandbox.ts";
import { targets } from "./targets.ts";

const parts = findBoxParts();
const missing = "missing" in parts ? parts.missing : undefined;
if (missing !== undefined) console.log(`no image boots in QEMU here: ${missing}`);
const testMs = 240_000;
const answerMs = 60_000;

/** A VM as silk has made it, on a QEMU of the test's own that is told the same. */
class QemuVm implements AsyncDisposable {
  readonly #qemu: ChildProcess;
  #said = "";

  constructor(qemuPath: string, vm: VmRecord) {
    const { boot, disks, config } = vm;
    if (boot.kind !== "direct") throw new Error("an image of layers boots a kernel");
    const drives = disks.flatMap(({ path, readonly, serial }, index) => [
      "-drive",
      `if=none,id=d${index},file=${path},format=raw,readonly=${readonly ? "on" : "off"}`,
      "-device",
      `virtio-blk-pci,drive=d${index},serial=${serial}`,
    ]);
    const words = [
      ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35"],
      ["-accel", "tcg", "-cpu", "max", "-m", `${config.memoryBytes / 1024 ** 2}M`],
      [
        "-kernel",
        boot.kernelPath,
        "-initrd",
        boot.initrdPath ?? "",
        "-append",
        cmdlineOf(vm) ?? "",
      ],
      ["-chardev", "stdio,id=console", "-device", "virtio-serial-pci"],
      ["-device", "virtconsole,chardev=console"],
      drives,
    ];
    this.#qemu = spawn(qemuPath, words.flat(), { stdio: "pipe" });
    for (const stream of [this.#qemu.stdout, this.#qemu.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#said += text));
  }

  /** Waits until a text is on its console. */
  async says(text: string): Promise<void> {
    const look = (): boolean => this.#said.includes(text) || this.#qemu.exitCode !== null;
    await until(`the guest says ${text}`, look, answerMs).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.#said.slice(-2_000)}`);
    });
    if (!this.#said.includes(text)) throw new Error(`QEMU has ended\n${this.#said}`);
  }

  /** Runs a shell script in the guest, and gives what it printed. */
  async sh(script: string): Promise<string> {
    const before = this.#said.length;
    this.#qemu.stdin?.write(`{ ${script}; } 2>&1; echo en""d\n`);
    await until("the guest answers", () => this.#said.slice(before).includes("end\n"), answerMs);
    return this.#said.slice(before).replace(/end\n$/, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#qemu.exitCode !== null || this.#qemu.signalCode !== null) return;
    const exit = once(this.#qemu, "exit");
    this.#qemu.kill("SIGKILL");
    await exit;
  }
}

describe.skipIf(missing !== undefined)("an OCI image of a Linux", () => {
  it(
    "boots in QEMU from the disks and by the command line that silk makes for its VM",
    async () => {
      if ("missing" in parts) throw new Error(parts.missing);
      using image = makeLayeredImage(parts);
      // No VM is started by silk here: any VMM will do.
      await using sandbox = await makeSandbox(targets[0]?.chBinary() ?? "", [imagesPlugin]);
      await using engine = await sandbox.engine();
      const { rootDir } = sandbox.config;
      await using images = openImages({ host: linuxHost(), rootDir });
      await images.import(image.path, { name: image.name });
      const { id } = await engine.create({
        name: "web",
        image: image.name,
        memoryBytes: 256 * 1024 ** 2,
        storageBytes: 128 * 1024 ** 2,
        boot: { cmdline: guestCommandLine("hvc0").replace("console=hvc0 ", "") },
      });
      const vm = await engine.inspect(id);
      {
        await using qemu = new QemuVm(parts.qemuPath, vm);
        await qemu.says("box guest is up");
        expect(await qemu.sh("cat /etc/replaced /srv/added; ls /etc")).toBe(
          "upper\nupper\nacpi\nreplaced\n",
        );
        expect(await qemu.sh("echo mine >/etc/mine; rm /srv/added; sync")).toBe("");
      }
      await using again = new QemuVm(parts.qemuPath, vm);
      await again.says("box guest is up");
      expect(await again.sh("cat /etc/mine; ls /srv")).toBe("mine\n");
    },
    testMs,
  );
});
