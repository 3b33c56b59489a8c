import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Hypervisor, SilkError, VmRecord } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, byForce, quiet, started } from "./bench-vm.ts";
import { makeScript, realVmm, vmms } from "./vmms.ts";

const host = linuxHost();
const mib = 1024 * 1024;
const isRoot = process.getuid?.() === 0;

describe.each(vmms)("on $name", (vmm) => {
  describe.skipIf(!vmm.isHere)("a start that cannot succeed", () => {
    let bench: Bench;
    let backend: Hypervisor;

    beforeEach(async () => {
      bench = await Bench.make(vmm);
      backend = await bench.backend();
    });
    afterEach(() => bench[Symbol.asyncDispose]());

    const image = async (name: string): Promise<string> => {
      await host.files.createSparse(join(bench.dir, name), 16 * mib, { mode: 0o600 });
      return join(bench.dir, name);
    };

    /** The error of a start. Whatever it was, nothing of the VM may run any more, and no socket be left. */
    async function failureOf(vm: VmRecord, on: Hypervisor = backend): Promise<SilkError> {
      const error = await on.start(vm, quiet()).then(
        () => undefined,
        (reason: unknown) => reason as SilkError,
      );
      const { runDir, apiSocketPath } = bench.paths(vm);
      const left = await host.processes.find((argv) => argv.includes(apiSocketPath));
      expect(left).toEqual([]);
      expect((await host.files.list(runDir)).filter((name) => name !== "events.json")).toEqual([]);
      expect(error).toBeDefined();
      return error as SilkError;
    }

    it("names the VM that holds a disk, and its process", async () => {
      const disk = await image("shared.raw");
      const disks = [{ path: disk, role: "data", readonly: false }] as const;
      const holder = await started(backend, await bench.vm({ id: "holder", disks }));
      const error = await failureOf(await bench.vm({ disks }));
      expect(error).toMatchObject({
        code: "DISK_LOCKED",
        kind: "conflict",
        message: `the disk ${disk} is in use by the VM holder (pid ${holder.runtime?.vmm.pid})`,
        hint: expect.stringContaining("silk vm stop holder"),
        details: {
          path: disk,
          holders: [{ pid: holder.runtime?.vmm.pid, vmId: "holder" }],
          log: expect.arrayContaining([expect.stringContaining("chain of errors")]),
        },
      });
      await backend.stop(holder, byForce, quiet());
      await started(backend, await bench.vm({ disks }));
    });

    it("names another process that holds a disk", async () => {
      const disk = await image("busy.raw");
      const locker = await host.processes.spawn({
        command: process.execPath,
        args: [
          "--conditions=@silkvm/source",
          fileURLToPath(new URL("hold-lock.ts", import.meta.url)),
          disk,
        ],
        logPath: join(bench.dir, "locker.log"),
      });
      await expect
        .poll(() => readFile(join(bench.dir, "locker.log"), "utf8"), { timeout: 10_000 })
        .toContain("locked");
      const vm = await bench.vm({ disks: [{ path: disk, role: "data", readonly: false }] });
      expect(await failureOf(vm)).toMatchObject({
        code: "DISK_LOCKED",
        message: `the disk ${disk} is in use by the process ${locker.identity.pid} (node)`,
      });
    });

    it("says which file has gone since the VM was made", async () => {
      const boot = { kind: "direct", kernelPath: join(bench.dir, "gone"), cmdline: "" } as const;
      expect(await failureOf(await bench.vm({ boot }))).toMatchObject({
        code: "FILE_NOT_FOUND",
        kind: "not-found",
        message: `kernel: there is no file ${bench.dir}/gone`,
      });
      const cow = { path: join(bench.dir, "cow.raw"), role: "cow", readonly: false } as const;
      const disks = [{ ...cow, serial: "cocoon-cow" }];
      expect(await failureOf(await bench.vm({ disks }))).toMatchObject({
        code: "FILE_NOT_FOUND",
        message: `cow disk cocoon-cow: there is no file ${cow.path}`,
      });
    });

    it("says that the VMM is missing, and how to name one", async () => {
      const vm = await bench.vm();
      for (const [chBinary, message] of [
        ["/nonexistent/ch", "there is no program /nonexistent/ch"],
        ["no-such-vmm", "the program no-such-vmm is not on PATH"],
        [await bench.kernel("sleep"), `${bench.dir}/sleep.elf is not executable`],
      ]) {
        const other = await bench.backend(host, { chBinary });
        const expected = {
          code: "VMM_NOT_FOUND",
          kind: "unavailable",
          message,
          hint: expect.stringContaining("SILK_CH_BINARY"),
        };
        expect(await failureOf(vm, other)).toMatchObject(expected);
        await expect(other.probe()).rejects.toMatchObject(expected);
      }
    });

    it("tells how a program ended that is no VMM", async () => {
      const vm = await bench.vm();
      const other = await bench.backend(host, { chBinary: "/bin/false" });
      expect(await failureOf(vm, other)).toMatchObject({
        code: "VMM_EXITED",
        kind: "failed",
        message: "the VMM ended before the guest ran: it ended with exit code 1",
        details: { exitCode: 1, log: [] },
      });
    });

    it("gives up on a program that never answers, and ends it", async () => {
      const lines = "echo waiting\nexec sleep 1234.5";
      const chBinary = await makeScript(join(bench.dir, "mute"), lines);
      const other = await bench.backend(host, { chBinary, startTimeoutMs: 200 });
      expect(await failureOf(await bench.vm(), other)).toMatchObject({
        code: "START_TIMED_OUT",
        kind: "timeout",
        details: { timeoutMs: 200, log: ["waiting"] },
      });
      expect(await host.processes.find((argv) => argv.includes("1234.5"))).toEqual([]);
    });

    it("is refused where the VMM is too old, and the VMM is ended", async () => {
      const program = fileURLToPath(new URL("old-vmm.ts", import.meta.url));
      const lines = `exec '${process.execPath}' '${program}' "$@"`;
      const chBinary = await makeScript(join(bench.dir, "old"), lines);
      const other = await bench.backend(host, { chBinary });
      const expected = {
        code: "VMM_TOO_OLD",
        kind: "unsupported",
        message: `${chBinary} is v51.1, and silk needs v52.0 or newer`,
      };
      expect(await failureOf(await bench.vm(), other)).toMatchObject(expected);
      await expect(other.probe()).rejects.toMatchObject(expected);
    });
  });
});

describe.skipIf(!realVmm.isHere)("on the real program alone, a start", () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.make(realVmm);
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  const failureOf = async (
    changes: Parameters<Bench["vm"]>[0],
    settings: Record<string, unknown> = {},
  ): Promise<SilkError> => {
    const backend = await bench.backend(host, settings);
    const vm = await bench.vm(changes);
    const error = await backend.start(vm, quiet()).then(
      () => new Error("it started"),
      (reason: unknown) => reason as SilkError,
    );
    expect(await host.processes.find((argv) => argv.includes(bench.dir))).toEqual([]);
    return error as SilkError;
  };

  /** A program that runs the VMM in another world. */
  async function under(command: string): Promise<Record<string, unknown>> {
    const program = await realVmm.program(bench.dir);
    const lines = `exec ${command} '${program}' "$@"`;
    return { chBinary: await makeScript(join(bench.dir, "wrapped"), lines) };
  }

  it("says that a kernel is none, in the VMM's own words", async () => {
    const kernelPath = join(bench.dir, "vmlinux");
    await writeFile(kernelPath, "no kernel".repeat(1000));
    const boot = { kind: "direct", kernelPath, cmdline: "" } as const;
    expect(await failureOf({ boot })).toMatchObject({
      code: "KERNEL_UNUSABLE",
      kind: "invalid",
      message: expect.stringContaining("Invalid bzImage"),
      details: { exitCode: 1, chain: expect.arrayContaining(["The VM could not boot"]) },
    });
  });

  it("names a TAP that cannot be opened", async () => {
    const nic = { tap: "lo", mac: "52:54:00:00:00:01", queues: 2, queueSize: 256 };
    expect(await failureOf({ nics: [{ ...nic, provider: "bridge" }] })).toMatchObject({
      code: "TAP_FAILED",
      message: expect.stringContaining("Unable to configure tap interface"),
    });
  });

  it("says that there are no huge pages", async () => {
    const config = { hugepages: true, memoryBytes: 64 * mib };
    expect(await failureOf({ config })).toMatchObject({
      code: "HUGEPAGES_UNAVAILABLE",
      hint: expect.stringContaining("vm.nr_hugepages"),
    });
  });

  it("says that the host has not enough memory", async () => {
    const limited = await under("prlimit --as=1000000000");
    expect(await failureOf({ config: { memoryBytes: 4096 * mib } }, limited)).toMatchObject({
      code: "OUT_OF_MEMORY",
      kind: "failed",
    });
  });

  it.skipIf(!isRoot)("says that the user may not use KVM", async () => {
    const nobody = await under("setpriv --reuid=65534 --regid=65534 --clear-groups");
    expect(await failureOf({}, nobody)).toMatchObject({
      code: "KVM_DENIED",
      kind: "denied",
      hint: expect.stringContaining("usermod -aG kvm"),
    });
  });

  it.skipIf(!isRoot)("says that the host has no KVM", async () => {
    const script = "mount --bind /dev/null /dev/kvm && exec";
    const without = await under(`unshare --mount sh -c '${script} "$0" "$@"'`);
    expect(await failureOf({}, without)).toMatchObject({
      code: "KVM_UNAVAILABLE",
      kind: "unavailable",
      hint: expect.stringContaining("modprobe"),
    });
  });
});
