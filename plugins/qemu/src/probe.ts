import { type CallOptions, SilkError, type VmmProbe } from "@silkvm/core";
import { requireAccel } from "./accel.ts";
import { knownMachines, programVersion } from "./ask-program.ts";
import type { Machine } from "./machine.ts";
import { formatVersion } from "./version.ts";
import { vmmProgram } from "./vmm-program.ts";

/**
 * Finds the VMM, its version, and what runs the guests' code.
 * @throws SilkError `VMM_NOT_FOUND`, `VMM_UNUSABLE`, `VMM_TOO_OLD`, `MACHINE_UNKNOWN`
 */
export async function probe(
  machine: Machine,
  capabilities: readonly string[],
  options: CallOptions = {},
): Promise<VmmProbe> {
  const path = await vmmProgram(machine);
  const version = await programVersion(machine, path, options);
  await checkMachine(machine, path, options);
  const { accel, reason } = await requireAccel(machine);
  const speed = accel === "tcg" ? ": guests run, and much slower than by KVM" : "";
  return {
    path,
    version: formatVersion(version),
    capabilities,
    notes: [`machine ${machine.settings.qemuMachine}`, `${accel}, because ${reason}${speed}`],
  };
}

/** @throws SilkError `MACHINE_UNKNOWN` */
export async function checkMachine(
  machine: Pick<Machine, "host" | "settings">,
  path: string,
  options: CallOptions,
): Promise<void> {
  const { qemuMachine } = machine.settings;
  const known = await knownMachines(machine, path, options);
  if (!known.includes(qemuMachine)) throw machineUnknown(qemuMachine, path);
}

/** The error for a type of machine that this QEMU does not know. */
export function machineUnknown(
  name: string,
  path: string,
  details: Readonly<Record<string, unknown>> = {},
): SilkError {
  return new SilkError(`${path} has no machine of the type ${name}`, {
    code: "MACHINE_UNKNOWN",
    kind: "unsupported",
    hint: `Choose another one with SILK_QEMU_MACHINE (q35, microvm); \`${path} -machine help\` shows all of them.`,
    details: { ...details, machine: name, path },
  });
}
