import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hypervisor, VmRecord } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Bench, byForce, quiet, started } from "./bench-vm.ts";
import { vmms } from "./vmms.ts";

const host = linuxHost();
const mib = 1024 * 1024;

/** A signal that stops a process reaches its threads one by one: until the last one has it, the VMM may still answer. */
async function allThreadsStopped(pid: number): Promise<void> {
  const isStopped = async (thread: string): Promise<boolean> => {
    const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  };
  await vi.waitUntil(
    async () => {
      const threads = await Promise.all((await readdir(`/proc/${pid}/task`)).map(isStopped));
      return threads.every(Boolean);
    },
    { timeout: 5_000, interval: 2 },
  );
}

describe.each(vmms)("on $name", (testVmm) => {
  describe.skipIf(!testVmm.isHere)("", () => {
    let bench: Bench;
    let backend: Hypervisor;

    beforeEach(async () => {
      bench = await Bench.make(testVmm);
      backend = await bench.backend();
    });
    afterEach(() => bench[Symbol.asyncDispose]());

    const leftInRunDir = (vm: VmRecord): Promise<readonly string[]> =>
      host.files.list(bench.paths(vm).runDir);

    it("a VMM that no record names is found, and ended by stop", async () => {
      const vm = await bench.vm();
      const { runtime } = await started(backend, vm);
      expect(await backend.inspect(vm)).toMatchObject({ vmm: "running", identity: runtime?.vmm });
      await backend.stop(vm, byForce, quiet());
      expect(await bench.processes()).toEqual([]);
      expect(await leftInRunDir(vm)).toEqual(["events.json"]);
    });

    it("a VMM that no record names is ended by the next start, with or without its socket", async () => {
      const own = join(bench.dir, "own.raw");
      await host.files.createSparse(own, 16 * mib, { mode: 0o600 });
      const vm = await bench.vm({ disks: [{ path: own, role: "data", readonly: false }] });
      const first = await started(backend, vm);
      const second = await started(backend, vm);
      expect(host.processes.isAlive(first.runtime!.vmm)).toBe(false);
      await host.files.remove(bench.paths(vm).runDir);
      await host.files.mkdir(bench.paths(vm).runDir, { mode: 0o700 });
      // It lives, and holds the disk, and nothing in the directory tells of it.
      const third = await started(backend, vm);
      expect(host.processes.isAlive(second.runtime!.vmm)).toBe(false);
      expect(await backend.inspect(third)).toMatchObject({ vmm: "running" });
      await backend.stop(third, byForce, quiet());
      expect(await bench.processes()).toEqual([]);
    });

    it("only the VM's own VMM is ended: not another VM's, and not who talks to it", async () => {
      const vm = await bench.vm();
      const other = await started(backend, await bench.vm({ id: "vm2" }));
      const running = await started(backend, vm);
      const { apiSocketPath } = bench.paths(vm);
      const bystander = await host.processes.spawn({
        command: "/bin/sh",
        args: ["-c", "sleep 60; :", "ch-remote", "--api-socket", apiSocketPath, "info"],
        logPath: join(bench.dir, "bystander.log"),
      });
      await backend.stop(running, byForce, quiet());
      expect(host.processes.isAlive(bystander.identity)).toBe(true);
      expect(host.processes.isAlive(other.runtime!.vmm)).toBe(true);
      expect(host.processes.isAlive(running.runtime!.vmm)).toBe(false);
    });

    it("a VMM that was killed is absent, and what it left is no obstacle to the next start", async () => {
      const vm = await bench.vm({
        boot: { kind: "firmware", firmwarePath: await bench.kernel("sleep") },
      });
      const running = await started(backend, vm);
      await host.processes.signal(running.runtime!.vmm, "SIGKILL");
      await host.processes.waitForExit(running.runtime!.vmm, { timeoutMs: 5_000 });
      expect(await backend.inspect(running)).toEqual({ vmm: "absent" });
      expect(await backend.list([running])).toEqual([{ vmm: "absent" }]);
      expect(await leftInRunDir(vm)).toContain("console.sock");
      const again = await started(backend, running);
      expect(await backend.inspect(again)).toMatchObject({ vmm: "running" });
    });

    it("a VMM that ignores everything is killed", async () => {
      const running = await started(backend, await bench.vm());
      await host.processes.signal(running.runtime!.vmm, "SIGSTOP");
      await allThreadsStopped(running.runtime!.vmm.pid);
      expect(await backend.inspect(running)).toEqual({
        vmm: "running",
        identity: running.runtime?.vmm,
      });
      await backend.stop(running, byForce, quiet());
      expect(await bench.processes()).toEqual([]);
      expect(await leftInRunDir(running)).toEqual(["events.json"]);
    });

    it("a start that is aborted leaves nothing that runs, and can be made again", async () => {
      const vm = await bench.vm();
      for (const afterMs of [0, 2, 5, 10, 15]) {
        const abort = new AbortController();
        const starting = backend.start(vm, quiet(abort.signal));
        setTimeout(() => abort.abort(new Error("enough")), afterMs);
        const outcome = await starting.then(
          () => "started",
          (error: Error) => error.message,
        );
        if (outcome === "started") await backend.stop(vm, byForce, quiet());
        else expect(outcome).toBe("enough");
        expect(await bench.processes()).toEqual([]);
        expect((await leftInRunDir(vm)).filter((name) => name !== "events.json")).toEqual([]);
      }
      await started(backend, vm);
    });
  });
});
