import { type Disk, type OperationContext, type ResolvedVmSpec, SilkError } from "@silkvm/core";
import { planVm } from "@silkvm/storage";
import { checkFirmware } from "./check-firmware.ts";
import type { Machine } from "./machine.ts";
import { programOf } from "./vmm-program.ts";

/** Checks a wanted VM against this host, and says which disks it will have. Makes nothing. */
export async function plan(
  machine: Machine,
  spec: ResolvedVmSpec,
  context: OperationContext,
): Promise<{ readonly disks: readonly Disk[] }> {
  const { boot } = spec;
  if (boot.kind === "direct") checkCmdline(boot.cmdline);
  const planned = await planVm(machine, spec, programOf(machine), context);
  if (boot.kind === "firmware") await checkFirmware(machine.host, boot.firmwarePath);
  return planned;
}

/** The VMM passes on printable ASCII alone. */
function checkCmdline(cmdline: string): void {
  const bad = /[^\x20-\x7e]/u.exec(cmdline)?.[0];
  if (bad === undefined) return;
  throw new SilkError(`--cmdline: a kernel's command line cannot hold ${JSON.stringify(bad)}`, {
    code: "INVALID_CMDLINE",
    kind: "invalid",
    hint: "Use printable ASCII characters and spaces only.",
    details: { cmdline },
  });
}
