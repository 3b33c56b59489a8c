import type { NetConfig, VmConfig } from "@silkvm/ch-client";
import {
  type Boot,
  bootDisks,
  cmdlineOf,
  type Nic,
  type VmPaths,
  type VmRecord,
} from "@silkvm/core";
import { toDiskConfig } from "./disk-config.ts";

/** Below this a balloon would take more than it gives. */
const smallestBalloonMemoryBytes = 256 * 1024 * 1024;
const balloonShare = 4;
const defaultNetQueueSize = 512;

/** A VM as the VMM is told of it, by arguments or over its API. */
export function vmConfigOf(vm: VmRecord, paths: VmPaths, hostCpus: number): VmConfig {
  const { cpus, memoryBytes, windows, sharedMemory, hugepages, netQueueSize } = vm.config;
  const disks = bootDisks(vm).map((disk) => toDiskConfig(disk, vm.config));
  return {
    // A VM may come from a host that has more CPUs than this one: `max` below `boot` would be refused.
    cpus: {
      boot_vcpus: cpus,
      max_vcpus: Math.max(cpus, hostCpus),
      ...(windows ? { kvm_hyperv: true } : {}),
    },
    memory: {
      size: memoryBytes,
      ...(sharedMemory ? { shared: true } : {}),
      ...(hugepages ? { hugepages: true } : {}),
    },
    payload: payload(vm),
    ...(disks.length > 0 ? { disks } : {}),
    ...(vm.nics.length > 0 ? { net: vm.nics.map((nic) => toNetConfig(nic, netQueueSize)) } : {}),
    rng: { src: "/dev/urandom" },
    watchdog: true,
    ...balloon(memoryBytes, windows),
    ...consoles(vm.boot, paths),
  };
}

function payload(vm: VmRecord): VmConfig["payload"] {
  const { boot } = vm;
  const cmdline = cmdlineOf(vm);
  if (boot.kind === "firmware") return { firmware: boot.firmwarePath };
  return {
    kernel: boot.kernelPath,
    ...(boot.initrdPath === undefined ? {} : { initramfs: boot.initrdPath }),
    ...(cmdline === "" ? {} : { cmdline }),
  };
}

/** A NIC as the VMM is told of it. */
export function toNetConfig(nic: Nic, netQueueSize: number): NetConfig {
  return {
    tap: nic.tap,
    mac: nic.mac,
    num_queues: nic.queues,
    queue_size: nic.queueSize || netQueueSize || defaultNetQueueSize,
    offload_tso: true,
    offload_ufo: true,
    offload_csum: true,
  };
}

/** Windows has none: its driver can spin while the guest shuts down. */
function balloon(memoryBytes: number, windows: boolean): Pick<VmConfig, "balloon"> {
  if (windows || memoryBytes < smallestBalloonMemoryBytes) return {};
  const size = Math.floor(memoryBytes / balloonShare);
  return { balloon: { size, deflate_on_oom: true, free_page_reporting: true } };
}

function consoles(boot: Boot, paths: VmPaths): Pick<VmConfig, "serial" | "console"> {
  return boot.kind === "direct"
    ? { serial: { mode: "Off" }, console: { mode: "Pty" } }
    : { serial: { mode: "Socket", socket: paths.consoleSocketPath }, console: { mode: "Off" } };
}
