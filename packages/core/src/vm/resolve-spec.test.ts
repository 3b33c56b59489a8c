import { describe, expect, it } from "vitest";
import type { Host } from "../host.ts";
import { resolveSpec } from "./resolve-spec.ts";
import type { VmSpec } from "./spec.ts";

// Only the facts and the randomness of a host are asked here.
const host = {
  facts: { cpus: 4, memoryBytes: 8 * 1024 ** 3, bootId: "b", uid: 0, arch: "x64" },
  random: { bytes: (count: number) => new Uint8Array(count).fill(0xab) },
} as unknown as Host;
const defaults = { backend: "cloud-hypervisor", cwd: "/home/user" };
const resolve = (spec: Partial<VmSpec>) =>
  resolveSpec({ boot: { kernel: "vmlinux" }, ...spec }, host, defaults);

describe("resolveSpec", () => {
  it("fills in the defaults and makes paths absolute", () => {
    expect(resolve({ disks: [{ path: "../disk.raw" }] })).toEqual({
      id: "abababababababab",
      name: "vm-abababababababab",
      backend: "cloud-hypervisor",
      config: {
        cpus: 2,
        memoryBytes: 1024 ** 3,
        storageBytes: 10 * 1024 ** 3,
        netQueueSize: 0,
        diskQueueSize: 0,
        noDirectIo: false,
        windows: false,
        sharedMemory: false,
        hugepages: false,
      },
      boot: { kind: "direct", kernelPath: "/home/user/vmlinux", cmdline: "console=hvc0" },
      disks: [{ path: "/home/disk.raw" }],
      dataDisks: [],
      nics: 0,
      macs: [],
      labels: {},
    });
  });

  it("makes no COW disk for a firmware unless a size is given", () => {
    expect(resolve({ boot: { firmware: "/fw" } }).config.storageBytes).toBe(0);
    expect(resolve({ boot: { firmware: "/fw" }, storageBytes: 2 ** 30 }).config.storageBytes).toBe(
      2 ** 30,
    );
  });

  it("gives data disks the names, file systems and mount points that they have not", () => {
    const sizeBytes = 2 ** 24;
    const { dataDisks } = resolve({
      disks: [{ path: "/a.raw", serial: "data1" }],
      dataDisks: [
        { sizeBytes },
        { sizeBytes, name: "data3" },
        { sizeBytes, fstype: "none" },
        { sizeBytes, name: "logs", mountPoint: "/var/log/" },
        { sizeBytes, name: "raw", mountPoint: "" },
      ],
    });
    expect(dataDisks.map(({ name, fstype, mountPoint }) => [name, fstype, mountPoint])).toEqual([
      ["data2", "ext4", "/mnt/data2"],
      ["data3", "ext4", "/mnt/data3"],
      ["data4", "none", undefined],
      ["logs", "ext4", "/var/log"],
      ["raw", "ext4", undefined],
    ]);
  });

  it.each([
    ["one name twice", [{ name: "a" }, { name: "a" }], 'two disks are named "a"'],
    ["a name of silk's own", [{ name: "cocoon-cow" }], 'no data disk can be named "cocoon-cow"'],
    ["one mount point twice", [{ mountPoint: "/a" }, { mountPoint: "/a/" }], "both mounted at /a"],
    ["the default of another", [{}, { mountPoint: "/mnt/data1" }], "both mounted at /mnt/data1"],
    ["nothing to mount", [{ fstype: "none" as const, mountPoint: "/a" }], "has no file system"],
    ["the root", [{ mountPoint: "/" }], "cannot be mounted at /"],
    ["a way up", [{ mountPoint: "/srv/../etc" }], "cannot be mounted at /srv/../etc"],
  ])("refuses data disks with %s", (_what, disks, message) => {
    const dataDisks = disks.map((disk) => ({ sizeBytes: 2 ** 24, ...disk }));
    expect(() => resolve({ dataDisks })).toThrow(message);
  });

  it.each([
    ["a bad name", { name: "-x" }, "INVALID_NAME"],
    ["a name that is too long", { name: "x".repeat(64) }, "INVALID_NAME"],
    ["a path as an id", { id: "../../etc" }, "INVALID_NAME"],
    ["more CPUs than the host has", { cpus: 5 }, "TOO_MANY_CPUS"],
    ["no CPU", { cpus: 0 }, "INVALID_SPEC"],
    ["half a CPU", { cpus: 1.5 }, "INVALID_SPEC"],
    ["no memory", { memoryBytes: 0 }, "INVALID_MEMORY"],
    ["memory that is no whole page", { memoryBytes: 2 ** 28 + 1 }, "INVALID_MEMORY"],
    [
      "memory that is no whole huge page",
      { memoryBytes: 2 ** 28 + 4096, hugepages: true },
      "INVALID_MEMORY",
    ],
    ["more memory than the host has", { memoryBytes: 9 * 1024 ** 3 }, "TOO_MUCH_MEMORY"],
    ["a memory size that makes a VMM panic", { memoryBytes: 2 ** 46 }, "INVALID_MEMORY"],
    ["a queue size that is no power of two", { diskQueueSize: 300 }, "INVALID_SPEC"],
    [
      "a serial that the guest would see cut",
      { disks: [{ path: "/d", serial: "x".repeat(21) }] },
      "INVALID_SPEC",
    ],
    ["a data disk that is too small", { dataDisks: [{ sizeBytes: 2 ** 20 }] }, "INVALID_SPEC"],
    [
      "two data disks of one name",
      {
        dataDisks: [
          { sizeBytes: 2 ** 24, name: "a" },
          { sizeBytes: 2 ** 24, name: "a" },
        ],
      },
      "INVALID_DISK",
    ],
    ["a cmdline of two lines", { boot: { kernel: "/k", cmdline: "a\nb" } }, "INVALID_SPEC"],
    ["an unknown field", { cpu: 1 } as Partial<VmSpec>, "INVALID_SPEC"],
    ["neither kernel nor firmware", { boot: {} }, "INVALID_SPEC"],
  ])("refuses %s", (_what, spec, code) => {
    expect(() => resolve(spec)).toThrow(expect.objectContaining({ code, kind: "invalid" }));
  });

  it("names a word that it does not know", () => {
    expect(() => resolve({ cpu: 1 } as Partial<VmSpec>)).toThrow(
      "the VM's spec is not valid: cpu: is no word that is known here",
    );
  });

  it("names each field that is wrong", () => {
    expect(() => resolve({ cpus: -1, diskQueueSize: 3 })).toThrow(
      "the VM's spec is not valid: cpus: must be at least 1; diskQueueSize: must be 0 or a power of two up to 32768",
    );
  });
});
