import { type EffectGate, failNth, withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { join } from "node:path";
import type { VmRecord } from "@silkvm/core";
import { Bench, byForce, quiet, started } from "./bench-vm.ts";
import { vmms } from "./vmms.ts";

const host = linuxHost();
const mib = 1024 * 1024;

/** What the n-th effect may do: fail, or be done and seem to have failed. */
const faults = ["EIO", "ETIMEDOUT"] as const;

describe.each(vmms)("on $name, when any one effect fails", (vmm) => {
  describe.skipIf(!vmm.isHere)("", () => {
    let bench: Bench;

    beforeEach(async () => {
      bench = await Bench.make(vmm);
    });
    afterEach(() => bench[Symbol.asyncDispose]());

    /** Names of the effects that a verb has on the machine. */
    async function effectsOf(run: (on: typeof host) => Promise<unknown>): Promise<string[]> {
      const names: string[] = [];
      const gate: EffectGate = ({ name }) => {
        names.push(name);
        return undefined;
      };
      await run(withGate(host, gate));
      return names;
    }

    const vmWithDisks = (): Promise<VmRecord> =>
      bench.vm({
        config: { storageBytes: 16 * mib },
        disks: [
          {
            path: join(bench.paths({ id: "vm1" }).dataDir, "cow.raw"),
            role: "cow",
            readonly: false,
          },
        ],
      });

    it("create leaves no disk behind, and succeeds when it is run again", async () => {
      const vm = await vmWithDisks();
      const { dataDir } = bench.paths(vm);
      const clean = await bench.backend();
      const effects = await effectsOf(async (on) => (await bench.backend(on)).create(vm, quiet()));
      expect(effects.length).toBeGreaterThan(3);
      for (const { nth, fault, place } of everyFault(effects)) {
        await host.files.remove(dataDir);
        await host.files.mkdir(dataDir, { mode: 0o700 });
        const faulty = await bench.backend(withGate(host, failNth(nth, fault)));
        await expect(faulty.create(vm, quiet()), place).rejects.toThrow();
        expect(await host.files.list(dataDir), place).toEqual([]);
        await clean.create(vm, quiet());
        expect(await host.files.list(dataDir)).toEqual(["cow.raw"]);
      }
    });

    it("start leaves nothing that runs, and succeeds when it is run again", async () => {
      const vm = await bench.vm();
      const clean = await bench.backend();
      const effects = await effectsOf(async (on) => (await bench.backend(on)).start(vm, quiet()));
      await clean.stop(vm, byForce, quiet());
      expect(effects).toContain("GET vmm.ping");
      for (const { nth, fault, place } of everyFault(effects)) {
        const faulty = await bench.backend(withGate(host, failNth(nth, fault)));
        await expect(faulty.start(vm, quiet()), place).rejects.toThrow();
        expect(await bench.processes(), place).toEqual([]);
        const left = await host.files.list(bench.paths(vm).runDir);
        expect(
          left.filter((name) => name !== "events.json"),
          place,
        ).toEqual([]);
        const running = await started(clean, vm);
        await clean.stop(running, byForce, quiet());
      }
    });

    it("stop either ends the VM all the same or says that it did not, and does when it is run again", async () => {
      const clean = await bench.backend();
      const vm = await started(clean, await bench.vm());
      const effects = await effectsOf(async (on) =>
        (await bench.backend(on)).stop(vm, byForce, quiet()),
      );
      expect(effects).toContain("PUT vm.shutdown");
      for (const { nth, fault, place } of everyFault(effects)) {
        const running = await started(clean, vm);
        const faulty = await bench.backend(withGate(host, failNth(nth, fault)));
        const outcome = await faulty.stop(running, byForce, quiet()).then(
          () => "stopped",
          () => "failed",
        );
        if (outcome === "stopped") expect(await bench.processes(), place).toEqual([]);
        await clean.stop(running, byForce, quiet());
        expect(await bench.processes(), place).toEqual([]);
        expect(await host.files.list(bench.paths(vm).runDir)).toEqual(["events.json"]);
      }
    });
  });
});

/** Each effect with each fault. */
function everyFault(effects: readonly string[]) {
  return effects.flatMap((name, index) =>
    faults.map((fault) => ({ nth: index + 1, fault, place: `${fault} at ${name}` })),
  );
}
