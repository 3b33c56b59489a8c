import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logEnd, readLogSince } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { errorChain, meaningful } from "./vmm-log.ts";

const missingDisk = `cloud-hypervisor:   0.003248s: <main> ERROR:cloud-hypervisor/src/lib.rs:24 -- Fatal error: VmBoot(…)
Error: Cloud Hypervisor exited with the following chain of errors:
  0: Error booting VM
  1: The VM could not boot
  2: Error from device manager
  3: Cannot open disk path
  4: I/O error (path=/nonexist op=open)
  5: No such file or directory (os error 2)`;

describe("the VMM's errors in its log", () => {
  it("are its numbered chain, outermost first", () => {
    const chain = errorChain(missingDisk.split("\n"));
    expect(chain).toHaveLength(6);
    expect(chain[0]).toBe("Error booting VM");
    expect(chain[5]).toBe("No such file or directory (os error 2)");
  });

  it("are told without the wrapping, and without what is said twice", () => {
    expect(meaningful(errorChain(missingDisk.split("\n")))).toEqual([
      "Cannot open disk path",
      "I/O error (path=/nonexist op=open)",
      "No such file or directory (os error 2)",
    ]);
    const kernel = [
      "Error booting VM",
      "Cannot load the kernel into memory",
      "Kernel Loader: failed to load bzImage kernel image: Kernel Loader: Invalid bzImage",
      "Kernel Loader: Invalid bzImage",
    ];
    expect(meaningful(kernel)).toEqual(kernel.slice(1, 3));
  });

  it("may be one error without a chain", () => {
    const log = [
      "Error: Cloud Hypervisor exited with the following error:",
      "  Error parsing --event-monitor: path or fd required",
    ];
    expect(errorChain(log)).toEqual(["Error parsing --event-monitor: path or fd required"]);
  });

  it("may be a complaint about an argument", () => {
    const log = ["error: unexpected argument '--bogus' found", "", "Usage: cloud-hypervisor …"];
    expect(errorChain(log)).toEqual(["unexpected argument '--bogus' found"]);
  });

  it("may be a panic", () => {
    const log = [
      "thread 'vmm' panicked at vmm/src/memory_manager.rs:1:2:",
      "attempt to add with overflow",
      "note: run with `RUST_BACKTRACE=1`",
    ];
    expect(errorChain(log)).toEqual([
      "thread 'vmm' panicked at vmm/src/memory_manager.rs:1:2: attempt to add with overflow",
    ]);
  });

  it("are none where it only warned", () => {
    expect(errorChain(["cloud-hypervisor:   0.01s: <vcpu0> WARN:vmm/src/cpu.rs:268 -- …"])).toEqual(
      [],
    );
    expect(errorChain([])).toEqual([]);
  });
});

it("only what was written since the launch is read from a log, and only its end", async () => {
  const host = linuxHost();
  const dir = await mkdtemp(join(tmpdir(), "silk-log-"));
  try {
    const path = join(dir, "vm.log");
    expect(await logEnd(host, path)).toBe(0);
    expect(await readLogSince(host, path, 0)).toEqual([]);
    await appendFile(path, "an earlier run\n");
    const offset = await logEnd(host, path);
    expect(await readLogSince(host, path, offset)).toEqual([]);
    await appendFile(path, "this run\nsays this\n");
    expect(await readLogSince(host, path, offset)).toEqual(["this run", "says this"]);
    await appendFile(path, "x\n".repeat(100_000));
    expect(await readLogSince(host, path, offset)).toHaveLength(40);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
