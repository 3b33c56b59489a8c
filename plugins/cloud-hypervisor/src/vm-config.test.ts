import { launchArgs } from "@silkvm/ch-client";
import type { Disk, Nic, VmRecord } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { pathsIn, vmRecord } from "../test/records.ts";
import { vmConfigOf } from "./vm-config.ts";

const mib = 1024 * 1024;
const paths = pathsIn("/s")({ id: "vm1" });
const firmware: VmRecord["boot"] = { kind: "firmware", firmwarePath: "/fw" };

function args(vm: VmRecord, hostCpus = 8): string[] {
  return launchArgs({ apiSocket: paths.apiSocketPath, ...vmConfigOf(vm, paths, hostCpus) });
}

/** What follows a flag. */
function valueOf(flag: string, vm: VmRecord, hostCpus?: number): string | undefined {
  const all = args(vm, hostCpus);
  return all.includes(flag) ? all[all.indexOf(flag) + 1] : undefined;
}

describe("the arguments of a VMM", () => {
  it("of a directly booted VM are these", () => {
    const vm = vmRecord({
      config: { cpus: 2, memoryBytes: 512 * mib },
      boot: { kind: "direct", kernelPath: "/k", initrdPath: "/i", cmdline: "console=hvc0 rw" },
      disks: [{ path: "/v/cow.raw", role: "cow", readonly: false, serial: "cocoon-cow" }],
    });
    const disk =
      "path=/v/cow.raw,direct=on,sparse=on,image_type=raw,num_queues=2,queue_size=512,queue_affinity=[0@[0],1@[1]],serial=cocoon-cow";
    const balloon = "size=134217728,deflate_on_oom=on,free_page_reporting=on";
    const flags = [
      ["--api-socket", "/s/run/vm1/api.sock"],
      ["--cpus", "boot=2,max=8"],
      ["--memory", "size=536870912"],
      ["--kernel", "/k"],
      ["--initramfs", "/i"],
      ["--cmdline", "console=hvc0 rw"],
      ["--disk", disk],
      ["--rng", "src=/dev/urandom"],
      ["--watchdog"],
      ["--balloon", balloon],
      ["--serial", "off"],
      ["--console", "pty"],
    ];
    expect(args(vm)).toEqual(flags.flat());
  });

  it("of a VM with firmware put the console on the serial socket", () => {
    const all = args(vmRecord({ boot: firmware }));
    expect(all).toContain("--firmware");
    expect(all).not.toContain("--kernel");
    expect(all.slice(-4)).toEqual([
      "--serial",
      "socket=/s/run/vm1/console.sock",
      "--console",
      "off",
    ]);
  });

  it("of a NIC turn the offloads on", () => {
    const nic: Nic = {
      tap: "tap0",
      mac: "52:54:00:00:00:01",
      queues: 4,
      queueSize: 256,
      provider: "bridge",
    };
    expect(valueOf("--net", vmRecord({ nics: [nic] }))).toBe(
      "tap=tap0,mac=52:54:00:00:00:01,num_queues=4,queue_size=256,offload_tso=on,offload_ufo=on,offload_csum=on",
    );
  });

  it("give Windows its Hyper-V interface, and no balloon", () => {
    const vm = vmRecord({ boot: firmware, config: { windows: true, memoryBytes: 4096 * mib } });
    expect(valueOf("--cpus", vm)).toBe("boot=1,max=8,kvm_hyperv=on");
    expect(args(vm)).not.toContain("--balloon");
  });

  it.each([
    [256 * mib - 4096, undefined],
    [256 * mib, "size=67108864,deflate_on_oom=on,free_page_reporting=on"],
  ])("of %i bytes of memory have the balloon %s", (memoryBytes, balloon) => {
    expect(valueOf("--balloon", vmRecord({ config: { memoryBytes } }))).toBe(balloon);
  });

  it("say that memory is shared, and of huge pages", () => {
    const vm = vmRecord({ config: { sharedMemory: true, hugepages: true } });
    expect(valueOf("--memory", vm)).toBe(`size=${64 * mib},shared=on,hugepages=on`);
  });

  it("never ask for fewer CPUs at most than at boot, on a host that is smaller than the last one", () => {
    expect(valueOf("--cpus", vmRecord({ config: { cpus: 4 } }), 2)).toBe("boot=4,max=4");
  });

  it("leave an empty command line out", () => {
    const boot = { kind: "direct", kernelPath: "/k", cmdline: "" } as const;
    expect(args(vmRecord({ boot }))).not.toContain("--cmdline");
  });

  it("have cidata until the first boot is done, and not after it", () => {
    const cidata: Disk = { path: "/v/cidata.img", role: "cidata", readonly: true };
    const disks = [cidata];
    expect(args(vmRecord({ boot: firmware, disks })).join(" ")).toContain("cidata.img");
    const booted = vmRecord({ boot: firmware, disks, firstBooted: true });
    expect(args(booted)).not.toContain("--disk");
    expect(args(vmRecord({ disks, firstBooted: true }))).not.toContain("--disk");
    // By it the VM of a container's image learns what to run, at every boot.
    const config = { imageType: "oci-container" } as const;
    const container = vmRecord({ disks, config, firstBooted: true });
    expect(args(container).join(" ")).toContain("cidata.img");
  });
});
