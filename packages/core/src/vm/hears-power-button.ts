import type { VmRecord } from "./record.ts";

/**
 * Whether a VM's guest can be asked to end by its power button: what a firmware boots has an ACPI daemon as a rule, and the init of a container's VM passes
 * it on to the program. The guest of a kernel that is booted directly has nobody who listens.
 */
export function hearsPowerButton({ boot, config }: Pick<VmRecord, "boot" | "config">): boolean {
  return boot.kind === "firmware" || config.run !== undefined;
}
