import { describe, expect, it } from "vitest";
import { ChInvalidRequestError } from "../errors.ts";
import { argumentObstacles, isExpressibleAsArgs } from "./argument-obstacles.ts";
import { consoleArg, debugConsoleArg, serialArg } from "./console-arg.ts";
import { fsArg, vsockArg } from "./device-args.ts";
import { diskArg } from "./disk-arg.ts";
import { launchArgs, vmmArgs } from "./launch-args.ts";
import { toVmConfig, type VmmLaunch } from "./launch.ts";
import { netArg } from "./net-arg.ts";

const directBoot: VmmLaunch = {
  apiSocket: "/run/vm/api.sock",
  cpus: { boot_vcpus: 2, max_vcpus: 8 },
  memory: { size: 536_870_912, shared: true },
  payload: { kernel: "/boot/vmlinux", initramfs: "/boot/initrd", cmdline: "console=hvc0 rw" },
  disks: [
    {
      path: "/layers/base.erofs",
      readonly: true,
      image_type: "Raw",
      num_queues: 2,
      queue_size: 512,
      serial: "layer0",
    },
    {
      path: "/vm/cow.raw",
      direct: true,
      sparse: true,
      image_type: "Raw",
      num_queues: 2,
      queue_size: 512,
      queue_affinity: [
        { queue_index: 0, host_cpus: [0] },
        { queue_index: 1, host_cpus: [1] },
      ],
      serial: "cow",
    },
  ],
  net: [
    {
      tap: "tap0",
      mac: "02:11:22:33:44:55",
      num_queues: 4,
      queue_size: 512,
      offload_tso: true,
      offload_ufo: true,
      offload_csum: true,
    },
  ],
  rng: { src: "/dev/urandom" },
  watchdog: true,
  balloon: { size: 134_217_728, deflate_on_oom: true, free_page_reporting: true },
  serial: { mode: "Off" },
  console: { mode: "Pty" },
};

describe("launch arguments", () => {
  it("describe a VM that boots a kernel", () => {
    expect(launchArgs(directBoot)).toEqual(
      [
        ["--api-socket", "/run/vm/api.sock"],
        ["--cpus", "boot=2,max=8"],
        ["--memory", "size=536870912,shared=on"],
        ["--kernel", "/boot/vmlinux"],
        ["--initramfs", "/boot/initrd"],
        ["--cmdline", "console=hvc0 rw"],
        "--disk",
        "path=/layers/base.erofs,readonly=on,image_type=raw,num_queues=2,queue_size=512,serial=layer0",
        "path=/vm/cow.raw,direct=on,sparse=on,image_type=raw,num_queues=2,queue_size=512,queue_affinity=[0@[0],1@[1]],serial=cow",
        [
          "--net",
          "tap=tap0,mac=02:11:22:33:44:55,num_queues=4,queue_size=512,offload_tso=on,offload_ufo=on,offload_csum=on",
        ],
        ["--rng", "src=/dev/urandom"],
        "--watchdog",
        ["--balloon", "size=134217728,deflate_on_oom=on,free_page_reporting=on"],
        ["--serial", "off"],
        ["--console", "pty"],
      ].flat(),
    );
  });

  it("describe a VM that boots a firmware, and what the VMM's process is told", () => {
    expect(
      launchArgs({
        apiSocket: { fd: 3 },
        eventMonitor: "/run/vm/events.json",
        logFile: "/log/vm.log",
        logFormat: "{msg}",
        verbosity: 2,
        seccomp: "log",
        noShutdown: true,
        cpus: {
          boot_vcpus: 1,
          max_vcpus: 1,
          kvm_hyperv: true,
          nested: false,
          topology: { threads_per_core: 1, cores_per_die: 1, dies_per_package: 1, packages: 1 },
        },
        payload: { firmware: "/fw" },
        serial: { mode: "Socket", socket: "/run/vm/console.sock" },
        console: { mode: "Off" },
        landlock_enable: true,
        landlock_rules: [{ path: "/run/vm", access: "rw" }],
        pvpanic: true,
      }),
    ).toEqual(
      [
        ["--api-socket", "fd=3"],
        ["--event-monitor", "path=/run/vm/events.json"],
        ["--log-file", "/log/vm.log"],
        ["--log-format", "{msg}"],
        "-vv",
        ["--seccomp", "log"],
        "--no-shutdown",
        ["--cpus", "boot=1,max=1,topology=1:1:1:1,kvm_hyperv=on,nested=off"],
        ["--firmware", "/fw"],
        "--pvpanic",
        ["--serial", "socket=/run/vm/console.sock"],
        ["--console", "off"],
        "--landlock",
        ["--landlock-rules", "path=/run/vm,access=rw"],
      ].flat(),
    );
  });

  it("without a VM start an empty VMM", () => {
    expect(launchArgs({ apiSocket: "api.sock" })).toEqual(["--api-socket", "path=api.sock"]);
    expect(vmmArgs(directBoot)).toEqual(["--api-socket", "/run/vm/api.sock"]);
    expect(vmmArgs({ apiSocket: "/a,b", eventMonitor: "/a,b" })).toEqual([
      "--api-socket",
      "/a,b",
      "--event-monitor",
      'path="/a,b"',
    ]);
  });

  it("keep a value that begins with a dash from being taken for a flag", () => {
    expect(launchArgs({ payload: { kernel: "-k", cmdline: "--verbose" } })).toEqual([
      "--kernel=-k",
      "--cmdline=--verbose",
    ]);
    expect(launchArgs({ payload: { kernel: "/k", cmdline: "" } })).toEqual([
      "--kernel",
      "/k",
      "--cmdline",
      "",
    ]);
  });

  it("and the configuration for vm.create come from one description", () => {
    const { apiSocket: _, ...vm } = directBoot;
    expect(
      toVmConfig({
        ...directBoot,
        eventMonitor: "/e",
        logFile: "/l",
        logFormat: "f",
        verbosity: 1,
        seccomp: "true",
        noShutdown: false,
      }),
    ).toEqual(vm);
  });
});

describe("the argument of a disk", () => {
  it("has its keys in a fixed order, each only where it applies", () => {
    expect(
      diskArg({
        id: "d",
        pci_segment: 0,
        serial: "s",
        queue_size: 256,
        num_queues: 4,
        backing_files: true,
        image_type: "Qcow2",
        sparse: true,
        direct: true,
        readonly: true,
        path: "/d.qcow2",
      }),
    ).toBe(
      "path=/d.qcow2,readonly=on,direct=on,sparse=on,image_type=qcow2,backing_files=on,num_queues=4,queue_size=256,serial=s,id=d",
    );
    expect(
      diskArg({
        path: "/d",
        readonly: false,
        direct: false,
        sparse: false,
        image_type: "Unknown",
        num_queues: 0,
        queue_size: 0,
      }),
    ).toBe("path=/d,sparse=off");
  });

  it("has all the rest too", () => {
    expect(
      diskArg({
        vhost_user: true,
        vhost_socket: "/s",
        rate_limiter_config: {
          bandwidth: { size: 2n ** 63n, refill_time: 10 },
          ops: { size: 5, one_time_burst: 6, refill_time: 7 },
        },
        rate_limit_group: "g",
        lock_granularity: "Full",
        disable_aio: true,
        iommu: true,
        pci_segment: 1,
        pci_device_id: 7,
      }),
    ).toBe(
      "vhost_user=on,socket=/s,bw_size=9223372036854775808,bw_refill_time=10,ops_size=5,ops_one_time_burst=6,ops_refill_time=7," +
        "rate_limit_group=g,lock_granularity=full,_disable_aio=on,iommu=on,pci_segment=1,pci_device_id=7",
    );
    expect(diskArg({ path: "/d", image_type: "FixedVhd" })).toBe("path=/d,image_type=vhd");
  });
});

describe("the arguments of other devices", () => {
  it("say what is switched off where on is the default", () => {
    expect(
      netArg({
        tap: "t",
        offload_tso: false,
        offload_ufo: false,
        offload_csum: true,
        mtu: 1400,
        fds: [5, 6],
        vhost_mode: "Server",
      }),
    ).toBe(
      "tap=t,offload_tso=off,offload_ufo=off,offload_csum=on,mtu=1400,fd=[5,6],vhost_mode=server",
    );
  });

  it("have words for the modes of consoles", () => {
    expect((["Off", "Null", "Pty", "Tty"] as const).map((mode) => serialArg({ mode }))).toEqual([
      "off",
      "null",
      "pty",
      "tty",
    ]);
    expect(consoleArg({ mode: "File", file: "/a,b", pci_segment: 1 })).toBe(
      'file="/a,b",pci_segment=1',
    );
    expect(debugConsoleArg({ mode: "Off", iobase: 233 })).toBe("off,iobase=0xe9");
  });

  it("have what the VMM needs to know of them", () => {
    expect(
      fsArg({ tag: "t", socket: "/s", num_queues: 1, queue_size: 1024, id: "silk-fs-t" }),
    ).toBe("tag=t,socket=/s,num_queues=1,queue_size=1024,id=silk-fs-t");
    expect(vsockArg({ cid: 3, socket: "/v" })).toBe("cid=3,socket=/v");
  });
});

describe("a description that the command line has no form for", () => {
  const kernel = { payload: { kernel: "/k" } };
  const cases: readonly [string, VmmLaunch, string][] = [
    [
      "a VM without anything to boot",
      { cpus: { boot_vcpus: 1, max_vcpus: 1 } },
      "payload: neither kernel nor firmware",
    ],
    ["a zero byte", { ...kernel, disks: [{ path: "/a\0b" }] }, "disks.0.path: a zero byte"],
    [
      "half a surrogate pair",
      { payload: { kernel: "/\ud800" } },
      "payload.kernel: not a well-formed string",
    ],
    [
      "a comma in a list of strings",
      { ...kernel, platform: { oem_strings: ["a,b"] } },
      "platform.oem_strings: a comma, quote, bracket or space at the edge in a list",
    ],
    [
      "an empty list",
      { ...kernel, numa: [{ guest_numa_id: 0, cpus: [] }] },
      "numa[0].cpus: an empty list",
    ],
    [
      "a limit of nothing",
      { ...kernel, net: [{ rate_limiter_config: { ops: { size: 0, refill_time: 1 } } }] },
      "net[0].rate_limiter_config.ops: a size or refill time of 0",
    ],
    ["an IOMMU of the VM", { ...kernel, iommu: true }, "iommu: it follows from the devices"],
    [
      "an IOMMU for a shared directory",
      { ...kernel, fs: [{ tag: "t", socket: "/s", iommu: true }] },
      "fs[0].iommu: not for this kind of device",
    ],
    [
      "a console into a file without a name",
      { ...kernel, console: { mode: "File" } },
      "console: mode File without a path",
    ],
  ];

  it.each(cases)("%s: is refused, with the reason", (_, launch, obstacle) => {
    expect(argumentObstacles(launch)).toEqual([obstacle]);
    expect(isExpressibleAsArgs(launch)).toBe(false);
    expect(() => launchArgs(launch)).toThrow(ChInvalidRequestError);
    expect(() => launchArgs(launch)).toThrow(obstacle);
  });

  it("is none with commas, quotes, brackets and spaces in paths", () => {
    expect(isExpressibleAsArgs({ ...directBoot, disks: [{ path: ' /a,"b"[c] ' }] })).toBe(true);
  });
});
