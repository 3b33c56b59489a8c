import { execFile } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Hypervisor, launchCommand, type VmRecord } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, byForce, quiet, started } from "./bench-vm.ts";
import { vmms } from "./vmms.ts";

const run = promisify(execFile);
const host = linuxHost();
const mib = 1024 * 1024;

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

    it("a VM is made with its disks, started, looked at, stopped, and started again", async () => {
      const spec = { config: { storageBytes: 32 * mib, memoryBytes: 64 * mib } };
      const paths = bench.paths({ id: "vm1" });
      const vm = await bench.vm({
        ...spec,
        disks: [
          {
            path: join(paths.dataDir, "cow.raw"),
            role: "cow",
            readonly: false,
            serial: "cocoon-cow",
          },
        ],
      });
      await backend.create(vm, quiet());
      expect((await stat(join(paths.dataDir, "cow.raw"))).size).toBe(32 * mib);
      await run("e2fsck", ["-fn", join(paths.dataDir, "cow.raw")]);
      expect(await backend.inspect(vm)).toEqual({ vmm: "absent" });

      const first = await started(backend, vm);
      expect(first.runtime).toMatchObject({
        vmmVersion: expect.stringMatching(/^v\d+\.\d+/),
        apiSocketPath: paths.apiSocketPath,
      });
      const observed = await backend.inspect(first);
      expect(observed).toMatchObject({
        vmm: "running",
        identity: first.runtime?.vmm,
        memoryBytes: 64 * mib,
        raw: { state: "Running" },
      });
      expect(observed.devices).toContainEqual({
        id: "_disk0",
        kind: "disk",
        bdf: expect.stringMatching(/^0000:00:\d\d\.0$/),
      });
      expect(await backend.list([first])).toEqual([
        { vmm: "running", identity: first.runtime?.vmm },
      ]);

      await backend.stop(first, { force: false, graceMs: 1_000 }, quiet());
      expect(await backend.inspect(first)).toEqual({ vmm: "ended" });
      expect(await leftInRunDir(vm)).toEqual(["events.json"]);
      expect(await bench.processes()).toEqual([]);

      const second = await started(backend, first);
      expect(second.runtime?.vmm).not.toEqual(first.runtime?.vmm);
      await backend.stop(second, byForce, quiet());
      await backend.stop(second, byForce, quiet());
    });

    it("the VMM runs with the arguments that are shown for it, and without backtraces", async () => {
      const vm = await bench.vm();
      const shown = await backend.capability(launchCommand)?.launchCommand(vm);
      const { runtime } = await started(backend, vm);
      const proc = `/proc/${runtime?.vmm.pid}`;
      const argv = (await readFile(`${proc}/cmdline`, "utf8")).split("\0").slice(0, -1);
      expect(argv.slice(-((shown?.length ?? 0) - 1))).toEqual(shown?.slice(1));
      const environment = (await readFile(`${proc}/environ`, "utf8")).split("\0");
      expect(environment).toContain("RUST_BACKTRACE=0");
    });

    it("the VMM lives in a session of its own and writes to the VM's log", async () => {
      const vm = await bench.vm();
      const { runtime } = await started(backend, vm);
      const { pid } = runtime?.vmm ?? { pid: 0 };
      const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ");
      expect(Number(fields?.[3])).toBe(pid);
      expect((await stat(bench.paths(vm).logPath)).isFile()).toBe(true);
    });

    it("a VM whose paths hold commas, quotes and spaces runs", async () => {
      const odd = join(bench.dir, 'a,b "c" [d]');
      const kernelPath = `${odd}.elf`;
      const diskPath = `${odd}.raw`;
      await writeFile(kernelPath, await readFile(await bench.kernel("sleep")));
      await host.files.createSparse(diskPath, 16 * mib, { mode: 0o600 });
      const vm = await bench.vm({
        id: "x,y",
        boot: { kind: "direct", kernelPath, cmdline: 'a="b,c" d' },
        disks: [{ path: diskPath, role: "data", readonly: false }],
      });
      const running = await started(backend, vm);
      expect(await backend.inspect(running)).toMatchObject({
        vmm: "running",
        raw: { config: { disks: [{ path: diskPath }], payload: { cmdline: 'a="b,c" d' } } },
      });
      await backend.stop(running, byForce, quiet());
      expect(await backend.inspect(running)).toEqual({ vmm: "ended" });
    });

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

    it("twenty VMs start and stop at once", async () => {
      const ids = Array.from({ length: 20 }, (_, index) => `many-${index}`);
      const vms = await Promise.all(
        ids.map((id) => bench.vm({ id, config: { memoryBytes: 16 * mib } })),
      );
      const running = await Promise.all(vms.map((vm) => started(backend, vm)));
      const observed = await backend.list(running);
      expect(observed.map(({ vmm }) => vmm)).toEqual(ids.map(() => "running"));
      await Promise.all(running.map((vm) => backend.stop(vm, byForce, quiet())));
      expect(await bench.processes()).toEqual([]);
    });
  });
});
