import { ChVmmEndedError } from "@silkvm/ch-client";
import { silentLogger, type VmRecord } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { expect, it } from "vitest";
import { pathsIn, vmRecord } from "../test/records.ts";
import { launchFailure, stoodInItsOwnWay } from "./launch-failure.ts";
import type { Machine } from "./machine.ts";

const machine: Machine = {
  host: linuxHost(),
  logger: silentLogger,
  settings: {
    chBinary: "cloud-hypervisor",
    startTimeoutMs: 1_000,
    chFirmware: "",
    rootDir: undefined,
  },
  paths: pathsIn("/nonexistent"),
  findVmm: async () => [],
};
const boot = ["Error booting VM", "The VM could not boot"];
const device = [...boot, "Error from device manager"];
const tap = [...device, "Cannot create virtio-net device", "Failed to open taps"];

it.each([
  [
    [
      "Error from API",
      "The VM could not be restored",
      "Cannot restore VM",
      "Failed to receive migratable component snapshot",
      "Error checking cpu feature compatibility",
      "Error checking CPUID compatibility",
    ],
    "SNAPSHOT_CPU_MISMATCH",
  ],
  [[...tap, "Open tap device failed", "Device or resource busy (os error 16)"], "TAP_BUSY"],
  [[...tap, "Open tap device failed", "Operation not permitted (os error 1)"], "TAP_FAILED"],
  [
    [
      "Error creating VM",
      "The VM could not be created",
      "Error creating console devices",
      "Error creating console device",
      "Address already in use (os error 98)",
    ],
    "ADDRESS_IN_USE",
  ],
  [
    [
      ...device,
      "Cannot open disk path",
      "I/O error (path=/d op=open)",
      "Invalid argument (os error 22)",
    ],
    "DISK_UNUSABLE",
  ],
  [
    [
      ...device,
      "Cannot open disk path",
      "I/O error (path=/d op=open)",
      "Permission denied (os error 13)",
    ],
    "PERMISSION_DENIED",
  ],
  [
    [...boot, "Cannot open kernel file", "No such file or directory (os error 2)"],
    "FILE_NOT_FOUND",
  ],
  [
    [
      "Failed to start the VMM thread",
      'API socket "/s" is already in use by another running instance',
    ],
    "VMM_RUNS_ALREADY",
  ],
  [[...boot, "Memory manager error", "No space left on device (os error 28)"], "DISK_FULL"],
  [[...boot, "Something new (os error 212)"], "VMM_EXITED"],
])("the VMM's words %j are the error %s, and all of them are kept", async (chain, code) => {
  const failure = await launchFailure(machine, vmRecord(), { chain, log: ["line"] });
  expect(failure).toMatchObject({ code, details: { chain, log: ["line"] } });
  expect(failure.hint).toBeDefined();
  expect(failure.message).toContain(chain.at(-1));
  expect(failure.message).not.toContain("The VM could not boot");
});

it("a firmware that cannot be booted is called a firmware", async () => {
  const chain = [...boot, "Cannot load the kernel into memory", "Kernel Loader: Invalid bzImage"];
  const failure = (from: VmRecord["boot"]) =>
    launchFailure(machine, { ...vmRecord(), boot: from }, { chain, log: [] });
  expect(await failure({ kind: "firmware", firmwarePath: "/f" })).toMatchObject({
    code: "KERNEL_UNUSABLE",
    message: expect.stringMatching(/^the VMM cannot boot this firmware: /),
  });
  expect(await failure({ kind: "direct", kernelPath: "/k", cmdline: "" })).toMatchObject({
    message: expect.stringMatching(/^the VMM cannot boot this kernel: /),
  });
});

it("how the VMM's end was noticed is told only where the VMM said nothing itself", async () => {
  const cause = new ChVmmEndedError("The VMM ended before its API answered");
  const failure = (chain: readonly string[]) =>
    launchFailure(machine, vmRecord(), { chain, log: [], cause });
  expect((await failure([...boot, "Something new"])).cause).toBeUndefined();
  expect((await failure([])).cause).toBe(cause);
});

it("a VMM that said nothing is told by how it ended", async () => {
  const failure = (exit: { exitCode?: number; signal?: NodeJS.Signals }) =>
    launchFailure(machine, vmRecord(), {
      chain: [],
      log: [],
      exit: { exitCode: exit.exitCode, signal: exit.signal },
    });
  expect((await failure({ exitCode: 7 })).message).toMatch(/exit code 7$/);
  expect((await failure({ signal: "SIGSEGV" })).message).toMatch(/ended by SIGSEGV$/);
  expect((await failure({})).message).toMatch(/without a word$/);
});

it("only a VM whose earlier VMM was found, and stood in the way, is launched once more", () => {
  const inUse = ['API socket "/s" is already in use by another running instance'];
  const locked = ["Failed to get Write lock for disk image: /d", "The file is already locked"];
  expect(stoodInItsOwnWay({ chain: inUse, log: [], strays: true })).toBe(true);
  expect(stoodInItsOwnWay({ chain: locked, log: [], strays: true })).toBe(true);
  expect(stoodInItsOwnWay({ chain: locked, log: [], strays: false })).toBe(false);
  expect(stoodInItsOwnWay({ chain: boot, log: [], strays: true })).toBe(false);
});
