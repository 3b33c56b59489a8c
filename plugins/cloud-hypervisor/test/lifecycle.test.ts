import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createChClient } from "@silkvm/ch-client";
import { type Hypervisor, launchCommand, type VmRecord } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, byForce, quiet, started } from "./bench-vm.ts";
import { vmSpec } from "./records.ts";
import { vmms } from "./vmms.ts";

const host = linuxHost();
const hasQemuImg = (await host.processes.which("qemu-img")) !== undefined;
const mib = 1024 * 1024;

/** Runs a program, which must succeed, and gives what it prints. */
async function tool(command: string, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.processes.run({ command, args });
  expect(exitCode, stderr).toBe(0);
  return stdout;
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
      await tool("e2fsck", "-fn", join(paths.dataDir, "cow.raw"));
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

    it.skipIf(!hasQemuImg)(
      "the disks that a plan names are those that create makes, and the VMM takes all of them",
      async () => {
        const given = join(bench.dir, "given.qcow2");
        const base = join(bench.dir, "base.qcow2");
        await tool("qemu-img", "create", "-q", "-f", "qcow2", base, "16M");
        await tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, given);
        const shell = await bench.vm({ config: { storageBytes: 16 * mib } });
        const spec = vmSpec({
          config: shell.config,
          boot: shell.boot,
          disks: [{ path: given }, { path: base, readonly: true, serial: "base" }],
          dataDisks: [
            { name: "db", sizeBytes: 32 * mib, fstype: "ext4" },
            { name: "blank", sizeBytes: 24 * mib, fstype: "none", directIo: false },
          ],
        });
        // The base of an overlay may be attached beside it: the VMM locks no backing file.
        const { disks } = await backend.plan(spec, quiet());
        const vm = { ...shell, disks };
        await backend.create(vm, quiet());
        const { dataDir } = bench.paths(vm);
        const made = await host.files.list(dataDir);
        expect(made).toEqual(["cow.raw", "data-blank.raw", "data-db.raw"]);
        expect((await stat(join(dataDir, "data-blank.raw"))).size).toBe(24 * mib);
        expect(await tool("e2label", join(dataDir, "data-db.raw"))).toBe("db\n");
        await backend.create(vm, quiet());

        const running = await started(backend, vm);
        const { devices = [] } = await backend.inspect(running);
        expect(devices.filter(({ kind }) => kind === "disk")).toHaveLength(5);
      },
    );

    it("what the VMM says of its guest is told: paused, or not running yet", async () => {
      const running = await started(backend, await bench.vm());
      await using client = createChClient({ socketPath: bench.paths(running).apiSocketPath });
      await client.vm.pause();
      expect(await backend.inspect(running)).toMatchObject({ vmm: "paused" });
      await client.vm.resume();
      await client.vm.shutdown();
      expect(await backend.inspect(running)).toMatchObject({
        vmm: "starting",
        identity: running.runtime?.vmm,
      });
      await backend.stop(running, { force: false, graceMs: 1_000 }, quiet());
      expect(await bench.processes()).toEqual([]);
    });

    it("the VMM is found, with its version and what can be done with it", async () => {
      const probed = await backend.probe();
      expect(probed).toMatchObject({
        path: expect.stringMatching(/\/cloud-hypervisor$/),
        version: expect.stringMatching(/^v\d+\.\d+/),
        capabilities: expect.arrayContaining(["launch-command", "vfio"]),
      });
      expect(await backend.probe()).toEqual(probed);
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
