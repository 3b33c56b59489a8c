import { readFile } from "node:fs/promises";
import type { Hypervisor, VmRecord } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, quiet, started } from "./bench-vm.ts";
import type { GuestProgram } from "./guests.ts";
import { realVmm, simulatedVmm, type TestVmm } from "./vmms.ts";

const host = linuxHost();
let bench: Bench;
let backend: Hypervisor;

async function open(vmm: TestVmm): Promise<void> {
  bench = await Bench.make(vmm);
  backend = await bench.backend();
}

/** A running VM whose console is its serial line. */
async function runningUnderFirmware(program: GuestProgram): Promise<VmRecord> {
  const firmwarePath = await bench.kernel(program);
  return await started(backend, await bench.vm({ boot: { kind: "firmware", firmwarePath } }));
}

describe("a guest that hears the power button", () => {
  beforeEach(() => open(simulatedVmm));
  afterEach(() => bench[Symbol.asyncDispose]());

  it("shuts down by itself, and is not switched off", async () => {
    const vm = await runningUnderFirmware("sleep");
    const told: string[] = [];
    await backend.stop(
      vm,
      { force: false, graceMs: 20_000 },
      { ...quiet(), progress: (message) => told.push(message) },
    );
    expect(told).toEqual(["asking the guest to shut down"]);
    expect(await backend.inspect(vm)).toEqual({ vmm: "ended" });
    expect(await bench.processes()).toEqual([]);
  });

  it("is not asked when the stop is forced, or when it was booted directly", async () => {
    for (const [vm, force] of [
      [await runningUnderFirmware("sleep"), true],
      [await started(backend, await bench.vm({ id: "vm2" })), false],
    ] as const) {
      const told: string[] = [];
      await backend.stop(
        vm,
        { force, graceMs: 20_000 },
        { ...quiet(), progress: (message) => told.push(message) },
      );
      expect(told).toEqual(["switching the guest off"]);
    }
  });
});

describe.skipIf(!realVmm.isHere)("with a guest that runs", () => {
  beforeEach(() => open(realVmm));
  afterEach(() => bench[Symbol.asyncDispose]());

  it("a guest that switches itself off has ended in order", async () => {
    const running = await runningUnderFirmware("powerOff");
    const { vmm } = running.runtime!;
    await using console = await backend.console(running);
    console.stream.on("error", () => {});
    console.stream.write("x");
    expect(await host.processes.waitForExit(vmm, { timeoutMs: 20_000 })).toBe(true);
    expect(await backend.list([running])).toEqual([{ vmm: "ended" }]);
    expect(await backend.inspect(running)).toEqual({ vmm: "ended" });
    expect(await readFile(bench.paths(running).logPath, "utf8")).not.toContain("Error");
  });

  it("a guest that does not hear the power button is given its time, and then switched off", async () => {
    const vm = await runningUnderFirmware("sleep");
    const began = performance.now();
    const told: string[] = [];
    await backend.stop(
      vm,
      { force: false, graceMs: 300 },
      { ...quiet(), progress: (message) => told.push(message) },
    );
    expect(performance.now() - began).toBeGreaterThan(300);
    expect(told).toEqual(["asking the guest to shut down", "switching the guest off"]);
    expect(await backend.inspect(vm)).toEqual({ vmm: "ended" });
  });

  it("a stop that is aborted while the guest is given its time leaves it running", async () => {
    const vm = await runningUnderFirmware("sleep");
    const abort = new AbortController();
    const stopping = backend.stop(vm, { force: false, graceMs: 60_000 }, quiet(abort.signal));
    setTimeout(() => abort.abort(new Error("enough")), 200);
    await expect(stopping).rejects.toThrow("enough");
    expect(await backend.inspect(vm)).toMatchObject({ vmm: "running" });
  });
});
