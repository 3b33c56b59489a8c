import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import type { Console, GuestExit, RunSpec, VmImage } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  attachContainer,
  type BootKit,
  containerRun,
  type ImageRunConfig,
  readExitStatus,
  runDiskContent,
} from "../src/index.ts";
import { Bed, canConvert } from "./bed.ts";
import { bigText, everyByte, importImage } from "./kit-image.ts";
import { canBoot, makeDisks } from "./kit-scene.ts";

const qemu = "qemu-system-x86_64";
const timeoutMs = 120_000;

describe.skipIf(!canBoot || !canConvert)(
  "whoever attaches to a container's console",
  { timeout: timeoutMs },
  () => {
    let bed: Bed;
    let kit: BootKit;
    let image: VmImage;
    let config: ImageRunConfig;
    let count = 0;

    beforeAll(async () => {
      bed = new Bed();
      ({ image, config } = await importImage(bed));
      kit = await bed.images.kit();
    });
    afterAll(async () => {
      await bed[Symbol.asyncDispose]();
    });

    /** Boots Linux with a console of a kind, and attaches to it. */
    async function run(
      kind: Console["kind"],
      script: string,
      { tty = false, input }: Pick<RunSpec, "tty"> & { readonly input?: Readable } = {},
    ): Promise<{
      output: string;
      errors: string;
      exit: GuestExit | undefined;
      written: GuestExit | undefined;
    }> {
      count += 1;
      const { cowPath, exitPath } = await makeDisks(bed, `attach-${count}`);
      const runPath = bed.path(`attach-${count}-run`);
      const socket = bed.path(`attach-${count}.sock`);
      const what = containerRun(config, { args: ["sh", "-c", script], tty });
      writeFileSync(runPath, runDiskContent(what, { attach: true }));
      const disks = [
        ...image.layers.map(({ path, serial }) => disk(path, serial, "on")),
        disk(cowPath, "cocoon-cow", "off"),
        disk(exitPath, "silk-exit", "off"),
        disk(runPath, "silk-run", "on"),
      ];
      const serials = image.layers.map(({ serial }) => serial).toReversed();
      const chardev =
        kind === "pty" ? "pty,id=console" : `socket,id=console,path=${socket},server=on,wait=off`;
      const child = spawn(
        qemu,
        [
          ["-nodefaults", "-no-user-config", "-display", "none", "-M", "q35"],
          ["-accel", "tcg", "-m", "256", "-smp", "1"],
          ["-chardev", chardev, "-device", "virtio-serial-pci"],
          ["-device", "virtconsole,chardev=console"],
          ["-kernel", kit.kernelPath, "-initrd", kit.initrdPath, "-append"],
          `console=hvc0 loglevel=3 no_timer_check cocoon.layers=${serials.join(",")} cocoon.cow=cocoon-cow`,
          disks.flat(),
        ].flat(),
        { stdio: ["ignore", "pipe", "pipe"] },
      );
      const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
      try {
        const path = await consolePath(kind, socket, () => said);
        const stream =
          kind === "pty" ? await linuxHost().openTerminal(path) : await linuxHost().connect(path);
        using attachment = attachContainer(
          { stream, path, kind, resize: () => {}, [Symbol.asyncDispose]: async () => {} },
          { tty, input, apart: true, size: { rows: 33, columns: 99 } },
        );
        const [output, errors] = await Promise.all(
          [attachment.output, attachment.errors].map(async (from) =>
            Buffer.concat(await from.toArray()).toString("latin1"),
          ),
        );
        const exit = await attachment.ended;
        await ended;
        return {
          output: output ?? "",
          errors: errors ?? "",
          exit,
          written: await readExitStatus(linuxHost(), exitPath),
        };
      } finally {
        child.kill("SIGKILL");
        await ended;
      }
    }

    test("has every byte of what the program writes to stdout and to stderr, of the kernel's nothing, and its exit code, by a terminal that holds little", async () => {
      const { output, errors, exit, written } = await run(
        "pty",
        `for i in 1 2 3 4 5 6 7 8 9; do cat /data/every /data/every; done >&2 &
         cat /data/every /data/big /data/every; cat >/data/read; wc -c </data/read; wait; exit 3`,
        { input: Readable.from([Buffer.from("typed\n"), Buffer.alloc(100_000, "input")]) },
      );
      const every = everyByte.toString("latin1");
      const wanted = `${every}${bigText}${every}100006\n`;
      expect(output === wanted, `${output.length} of ${wanted.length}`).toBe(true);
      expect(errors === every.repeat(18), `${errors.length} of ${18 * every.length}`).toBe(true);
      expect({ exit, written }).toEqual({ exit: { exitCode: 3 }, written: { exitCode: 3 } });
    });

    test("may write more than the program ever reads, and is told of a signal", async () => {
      const script = "echo this >&2; cat /data/big /data/big; echo and that >&2; kill -9 $$";
      const { output, errors, exit } = await run("socket", script, {
        input: Readable.from([Buffer.alloc(300_000, "nobody reads this")]),
      });
      expect(output === bigText + bigText, `${output.length}`).toBe(true);
      expect(errors).toBe("this\nand that\n");
      expect(exit).toEqual({ exitCode: 137, signal: "SIGKILL" });
    });

    test("is the terminal of a program that has one, with its size", async () => {
      const { output, exit } = await run("socket", "stty size; read word; echo got $word; exit 4", {
        tty: true,
        input: Readable.from([Buffer.from("typed\r")]),
      });
      expect(output).toContain("33 99\r\n");
      expect(output).toContain("got typed\r\n");
      expect(exit).toEqual({ exitCode: 4 });
    });
  },
);

function disk(path: string, serial: string, isReadOnly: "on" | "off"): readonly string[] {
  const drive = `if=none,id=${serial},file=${path},format=raw,read-only=${isReadOnly}`;
  return ["-drive", drive, "-device", `virtio-blk-pci,drive=${serial},serial=${serial}`];
}

async function consolePath(
  kind: Console["kind"],
  socket: string,
  said: () => string,
): Promise<string> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    const path = kind === "pty" ? /redirected to (\S+)/.exec(said())?.[1] : socket;
    if (path !== undefined && existsSync(path)) return path;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`there is no console: ${said()}`);
}
