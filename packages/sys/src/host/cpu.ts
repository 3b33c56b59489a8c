import { closeSync, openSync, readSync } from "node:fs";
import type { CpuidEntry, HostCpu } from "@silkvm/core";
import { kvmSupportedCpuid } from "../kvm-cpuid.ts";

/** Room for the first CPU of /proc/cpuinfo: what is not read of that file the kernel does not make, which takes long where there are many. */
const firstCpuBytes = 16 * 1024;

let knownCpu: HostCpu | undefined;
let knownGuestCpuid: readonly CpuidEntry[] | undefined;

/** The machine's CPU, as the kernel tells it. */
export function cpu(): HostCpu {
  knownCpu ??= parseCpuInfo(readFirstCpu());
  return knownCpu;
}

/** What KVM can give a guest of the CPU; undefined where it cannot be asked. */
export function guestCpuid(): readonly CpuidEntry[] | undefined {
  knownGuestCpuid ??= askKvm();
  return knownGuestCpuid;
}

/** The first CPU of a `/proc/cpuinfo`, of x86 or of ARM. What it does not tell is empty. */
export function parseCpuInfo(text: string): HostCpu {
  const [first = ""] = text.split("\n\n");
  const fields = new Map(
    first.split("\n").map((line) => {
      const [name = "", ...value] = line.split(":");
      return [name.trim(), value.join(":").trim()];
    }),
  );
  const field = (...names: readonly string[]): string =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined) ?? "";
  return {
    vendor: field("vendor_id", "CPU implementer"),
    model: field("model name", "CPU part"),
    flags: field("flags", "Features")
      .split(" ")
      .filter((flag) => flag !== ""),
  };
}

function readFirstCpu(): string {
  try {
    const fd = openSync("/proc/cpuinfo", "r");
    try {
      const buffer = Buffer.alloc(firstCpuBytes);
      return buffer.toString("latin1", 0, readSync(fd, buffer));
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}

function askKvm(): readonly CpuidEntry[] | undefined {
  if (process.arch !== "x64") return undefined;
  try {
    return kvmSupportedCpuid();
  } catch {
    return undefined;
  }
}
