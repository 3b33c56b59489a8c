import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import type { HostFacts } from "@silkvm/core";
import { cpu, guestCpuid } from "./cpu.ts";

let knownBootId: string | undefined;

/** The kernel's random id of this boot. */
export function bootId(): string {
  knownBootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return knownBootId;
}

/** Found out when asked for, so that a command that needs none of them pays for none. */
export const facts: HostFacts = {
  get cpus() {
    return availableParallelism();
  },
  get memoryBytes() {
    return totalmem();
  },
  get bootId() {
    return bootId();
  },
  get uid() {
    return process.getuid?.() ?? 0;
  },
  arch: process.arch,
  get cpu() {
    return cpu();
  },
  get guestCpuid() {
    return guestCpuid();
  },
};
