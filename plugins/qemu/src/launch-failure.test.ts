import { silentLogger } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { expect, it } from "vitest";
import { pathsIn, vmRecord } from "../test/records.ts";
import { kvmFailure, lacksDirectIo, launchFailure, stoodInItsOwnWay } from "./launch-failure.ts";
import type { Machine } from "./machine.ts";
import { readSettings } from "./settings.ts";

const machine: Machine = {
  host: linuxHost(),
  logger: silentLogger,
  settings: readSettings({ qemuMachine: "pc-1.0" }),
  paths: pathsIn("/nonexistent"),
  findVmm: async () => [],
};
const evidence = { what: "the VMM ended before the guest ran", refusal: [], ended: true };
const said = (text: string): string[] => [
  "qemu-system-x86_64: warning: host doesn't support requested feature: CPUID.01H:ECX.pni [bit 0]",
  `qemu-system-x86_64: ${text}`,
];
const lock = `-blockdev {"driver":"file","filename":"/d"}: Failed to get "write" lock`;

it.each([
  ["-machine type=pc-1.0: unsupported machine type", "MACHINE_UNKNOWN"],
  ["could not load kernel '/k'", "KERNEL_UNUSABLE"],
  [lock, "DISK_LOCKED"],
  ["-netdev {}: could not configure /dev/net/tun (t0): Operation not permitted", "TAP_FAILED"],
  ["cannot set up guest memory 'ram': Cannot allocate memory", "MEMORY_UNAVAILABLE"],
  [
    `-blockdev {"driver":"file"}: Could not open '/gone': No such file or directory`,
    "FILE_NOT_FOUND",
  ],
  [
    `-device {"driver":"virtio-blk-pci"}: 'virtio-blk-pci' is not a valid device model name`,
    "VMM_LACKS_DEVICE",
  ],
  ["something new", "VMM_EXITED"],
])("QEMU's %j is told as %s, in its own words too", async (text, code) => {
  const error = await launchFailure(machine, vmRecord(), { ...evidence, log: said(text) });
  expect(error.code).toBe(code);
  expect(error.details?.["log"]).toEqual(said(text));
  expect(error.message).not.toMatch(/warning|driver":"file/);
});

it("an end without a word is told by its exit", async () => {
  const exit = { exitCode: undefined, signal: "SIGSEGV" } as const;
  const error = await launchFailure(machine, vmRecord(), { ...evidence, log: [], exit });
  expect(error.message).toBe(`${evidence.what}: it was ended by SIGSEGV`);
});

it("a launch is tried again where its own earlier VMM had the disk, or where a disk has no direct I/O", () => {
  expect(stoodInItsOwnWay({ ...evidence, log: said(lock), strays: true })).toBe(true);
  expect(stoodInItsOwnWay({ ...evidence, log: said(lock), strays: false })).toBe(false);
  expect(
    lacksDirectIo({
      ...evidence,
      log: said("Could not open '/d': file system may not support O_DIRECT"),
    }),
  ).toBe(true);
});

it("a KVM that opens and does not work is told from everything else", () => {
  const assertion = "../target/i386/kvm/kvm.c:3183: kvm_buf_set_msrs: Assertion failed.";
  expect(kvmFailure({ ...evidence, log: said(assertion) })).toBe(assertion);
  expect(kvmFailure({ ...evidence, log: said(lock) })).toBeUndefined();
});
