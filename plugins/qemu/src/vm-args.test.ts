import type { Disk, VmRecord } from "@silkvm/core";
import { expect, it } from "vitest";
import { pathsIn, vmRecord } from "../test/records.ts";
import { placedDisks, placedNics, vmArgs, type VmShape } from "./vm-args.ts";

const cow: Disk = { path: "/v/a,b.raw", role: "cow", readonly: false, serial: "cocoon-cow" };
const layer: Disk = { path: "/l.qcow2", role: "layer", readonly: true, serial: "l0" };
const nic = { tap: "t0", mac: "02:00:00:00:00:01", queues: 4, queueSize: 0, provider: "bridge" };

const shapeOf = (vm: VmRecord, changes: Partial<VmShape> = {}): VmShape => ({
  machine: "q35",
  accel: "tcg",
  disks: placedDisks(vm.disks),
  nics: placedNics(vm.nics),
  blockDevices: new Set(),
  vhost: false,
  buffered: false,
  incoming: false,
  ...changes,
});

function argsOf(vm: VmRecord, changes?: Partial<VmShape>): readonly string[] {
  return vmArgs(vm, pathsIn("/r,un")(vm), shapeOf(vm, changes));
}

/** The objects that one flag is given. */
function objects(args: readonly string[], flag: string): Record<string, unknown>[] {
  return args.flatMap((arg, index) =>
    args[index - 1] === flag && arg.startsWith("{")
      ? [JSON.parse(arg) as Record<string, unknown>]
      : [],
  );
}

const devices = (args: readonly string[], driver: string): Record<string, unknown>[] =>
  objects(args, "-device").filter((device) => device["driver"] === driver);

it("disks have their serials, and past the host's cache goes what is written", () => {
  const args = argsOf(vmRecord({ disks: [layer, cow], config: { cpus: 2 } }));
  expect(objects(args, "-blockdev")).toMatchObject([
    {
      driver: "file",
      filename: "/l.qcow2",
      "read-only": true,
      cache: { direct: false },
      aio: "threads",
    },
    { driver: "qcow2", "read-only": true },
    { driver: "file", filename: "/v/a,b.raw", cache: { direct: true }, aio: "native" },
    { driver: "raw" },
  ]);
  expect(devices(args, "virtio-blk-pci")).toMatchObject([
    { serial: "l0", addr: "0x8", "num-queues": 2, "queue-size": 512 },
    { serial: "cocoon-cow", addr: "0x9" },
  ]);
});

it("no disk goes past the cache where it cannot, and a block device is opened as one", () => {
  const args = argsOf(vmRecord({ disks: [cow] }), {
    buffered: true,
    blockDevices: new Set([cow.path]),
  });
  expect(objects(args, "-blockdev")[0]).toMatchObject({
    driver: "host_device",
    cache: { direct: false },
  });
});

it("NICs sit in ports of their own, from which they can be taken", () => {
  const args = argsOf(vmRecord({ nics: [nic, { ...nic, tap: "t1" }] }), { vhost: true });
  expect(objects(args, "-netdev")).toMatchObject([
    { ifname: "t0", queues: 2, vhost: true, script: "no" },
    { ifname: "t1" },
  ]);
  expect(devices(args, "virtio-net-pci")).toMatchObject([
    { bus: "port0", mq: true },
    { bus: "port1" },
  ]);
  expect(devices(args, "pcie-root-port")).toHaveLength(32);
});

it("sockets' paths keep their commas", () => {
  expect(argsOf(vmRecord())).toContain(
    "socket,id=monitor,path=/r,,un/run/vm1/api.sock,server=on,wait=off",
  );
});

it("a kernel has hvc0 and a firmware the serial line", () => {
  expect(devices(argsOf(vmRecord()), "virtconsole")).toHaveLength(1);
  const boot = { kind: "firmware", firmwarePath: "/f,w.fd" } as const;
  const args = argsOf(vmRecord({ boot }), { varsPath: "/v.fd" });
  expect(devices(args, "virtconsole")).toEqual([]);
  expect(args).toContain("chardev:console");
  expect(args).toContain("if=pflash,unit=0,format=raw,readonly=on,file=/f,,w.fd");
  expect(args).toContain("if=pflash,unit=1,format=raw,file=/v.fd");
});

it("a microvm has no ports, and everything on one bus", () => {
  const args = argsOf(vmRecord({ disks: [cow], nics: [nic] }), { machine: "microvm" });
  expect(devices(args, "pcie-root-port")).toEqual([]);
  expect(new Set(objects(args, "-device").map(({ bus }) => bus))).toEqual(
    new Set(["pcie.0", undefined]),
  );
});

it("memory that is shared, or of huge pages, is a file", () => {
  const kinds = (config: Partial<VmRecord["config"]>): unknown =>
    objects(argsOf(vmRecord({ config })), "-object")[0]?.["qom-type"];
  expect(kinds({})).toBe("memory-backend-ram");
  expect(kinds({ sharedMemory: true })).toBe("memory-backend-memfd");
  expect(kinds({ hugepages: true })).toBe("memory-backend-memfd");
});

it("an emulated CPU does not measure its timer where the cmdline is silk's, and panics of no busy host", () => {
  const boot = { kind: "direct", kernelPath: "/k", cmdline: "quiet" } as const;
  const cmdline = (layered: boolean, accel: VmShape["accel"]): string => {
    const args = argsOf(vmRecord({ boot: { ...boot, layered }, disks: [layer, cow] }), { accel });
    return args[args.indexOf("-append") + 1] ?? "";
  };
  expect(cmdline(true, "tcg")).toMatch(/ quiet no_timer_check$/);
  expect(cmdline(true, "kvm")).toMatch(/ quiet$/);
  expect(cmdline(false, "tcg")).toBe("quiet");
});
