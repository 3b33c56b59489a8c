import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

import type { CpusConfig } from "../config/types.ts";
import { Panic, VmmError } from "../errors.ts";

const CPUID = "arch/src/x86_64/mod.rs";

/** A topology with a zero in it ends the program before it is looked at. Throws a Panic. */
export function checkTopology({ topology }: CpusConfig): void {
  const places = [
    [topology?.threads_per_core, "197:25"],
    [topology?.cores_per_die, "198:23"],
    [topology?.dies_per_package, "199:22"],
  ] as const;
  const zero = places.find(([count]) => count === 0);
  if (zero === undefined) return;
  const message = "attempt to calculate the remainder with a divisor of zero";
  throw new Panic(`${CPUID}:${zero[1]}`, message);
}

/** Whether the host has what a CPU is to have. Throws a VmmError. */
export function checkFeatures({ features }: CpusConfig): void {
  if (!features.amx || readFileSync("/proc/cpuinfo", "utf8").includes("GenuineIntel")) return;
  const vendor = new VmmError(
    "VendorDoesNotSupportAmx",
    "The host CPU's vendor does not support AMX features. Only Intel provides such CPUs.",
  );
  const enable = new VmmError(
    "CouldNotEnableAmxStateComponents",
    "Failed to enable AMX tile state components",
    vendor,
  );
  const manager = new VmmError("AmxEnable", "Error setting up AMX", enable);
  throw new VmmError("CpuManager", "Error from CPU manager", manager);
}

/** Whether the vCPUs would wait for each other for ever: there is none, or one that may run nowhere. */
export function neverStarts(cpus: CpusConfig): boolean {
  const hosts = availableParallelism();
  return (
    cpus.boot_vcpus === 0 ||
    (cpus.affinity ?? []).some(
      ({ vcpu, host_cpus: allowed }) =>
        vcpu < cpus.boot_vcpus && allowed.length > 0 && allowed.every((cpu) => cpu >= hosts),
    )
  );
}
