import type { Console, Hypervisor, VmRecord } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, byForce, quiet, started } from "./bench-vm.ts";
import { realVmm, vmms } from "./vmms.ts";

const host = linuxHost();

/** Collects what a console says; resolves once it has said something. */
function untilSays(console: Console, words: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let said = "";
  console.stream.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes(words)) resolve(said);
  });
  console.stream.on("error", reject);
  console.stream.on("end", () => reject(new Error(`it ended after ${JSON.stringify(said)}`)));
  return promise;
}

describe.each(vmms)("on $name", (vmm) => {
  describe.skipIf(!vmm.isHere)("the console", () => {
    let bench: Bench;
    let backend: Hypervisor;

    beforeEach(async () => {
      bench = await Bench.make(vmm);
      backend = await bench.backend();
    });
    afterEach(() => bench[Symbol.asyncDispose]());

    const underFirmware = async (): Promise<VmRecord> =>
      await bench.vm({
        id: "vm2",
        boot: { kind: "firmware", firmwarePath: await bench.kernel("sleep") },
      });

    it("of a directly booted VM is a terminal of its own, that can be told its size", async () => {
      const vm = await started(backend, await bench.vm());
      await using console = await backend.console(vm);
      expect(console).toMatchObject({
        kind: "pty",
        path: expect.stringMatching(/^\/dev\/pts\/\d+$/),
      });
      console.resize({ rows: 33, columns: 111 });
      const result = await host.processes.run({
        command: "stty",
        args: ["-F", console.path, "size"],
      });
      expect(result.stdout).toBe("33 111\n");
    });

    it("of a VM with firmware is the serial socket, and ignores a size", async () => {
      const vm = await started(backend, await underFirmware());
      await using console = await backend.console(vm);
      expect(console).toMatchObject({ kind: "socket", path: bench.paths(vm).consoleSocketPath });
      console.resize({ rows: 33, columns: 111 });
    });

    it("can be attached to again and again, and closes its stream each time", async () => {
      for (const vm of [await bench.vm(), await underFirmware()]) {
        const running = await started(backend, vm);
        for (let turn = 0; turn < 3; turn++) {
          const console = await backend.console(running);
          await console[Symbol.asyncDispose]();
          expect(console.stream.destroyed).toBe(true);
        }
      }
    });

    it("ends when the VM is stopped", async () => {
      for (const vm of [await bench.vm(), await underFirmware()]) {
        const running = await started(backend, vm);
        await using console = await backend.console(running);
        const ended = new Promise<void>((resolve) => {
          console.stream.on("close", resolve);
        });
        console.stream.on("error", () => {});
        console.stream.resume();
        await backend.stop(running, byForce, quiet());
        await ended;
      }
    });

    it("of a VM that does not run is refused", async () => {
      const vm = await bench.vm();
      const refusal = { code: "VM_NOT_RUNNING", kind: "conflict" };
      await expect(backend.console(vm)).rejects.toMatchObject(refusal);
      const running = await started(backend, vm);
      await backend.stop(running, byForce, quiet());
      await expect(backend.console(running)).rejects.toMatchObject(refusal);
    });

    it("is unavailable where somebody has removed its socket", async () => {
      const vm = await started(backend, await underFirmware());
      await host.files.remove(bench.paths(vm).consoleSocketPath);
      await expect(backend.console(vm)).rejects.toMatchObject({
        code: "CONSOLE_UNAVAILABLE",
        kind: "unavailable",
        message: expect.stringContaining(bench.paths(vm).consoleSocketPath),
      });
    });
  });
});

describe.skipIf(!realVmm.isHere)("with a guest that runs", () => {
  let bench: Bench;
  let backend: Hypervisor;

  beforeEach(async () => {
    bench = await Bench.make(realVmm);
    backend = await bench.backend();
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  it("the serial socket carries what is typed to the guest, and its answer back", async () => {
    const firmwarePath = await bench.kernel("echo");
    const vm = await started(backend, await bench.vm({ boot: { kind: "firmware", firmwarePath } }));
    for (const words of ["hello", "once more"]) {
      await using console = await backend.console(vm);
      const answered = untilSays(console, words);
      console.stream.write(words);
      expect(await answered).toContain(words);
    }
  });
});
