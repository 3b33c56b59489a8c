import { type Disk, type OperationContext, type ResolvedVmSpec, SilkError } from "@silkvm/core";
import { planVm } from "@silkvm/storage";
import { mostDisks } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { isMicrovm } from "./settings.ts";
import { programOf } from "./vmm-program.ts";

/** Checks a wanted VM against this host, and says which disks it will have. Makes nothing. */
export async function plan(
  machine: Machine,
  spec: ResolvedVmSpec,
  context: OperationContext,
): Promise<{ readonly disks: readonly Disk[] }> {
  const { qemuMachine } = machine.settings;
  if (spec.boot.kind === "firmware" && isMicrovm(qemuMachine))
    throw new SilkError(`--firmware: QEMU's machine ${qemuMachine} boots kernels only`, {
      code: "INVALID_SPEC",
      kind: "unsupported",
      hint: "Use the machine q35: silk config set qemuMachine q35, or SILK_QEMU_MACHINE=q35.",
    });
  const planned = await planVm(machine, spec, programOf(machine), context);
  const count = planned.disks.length;
  if (count > mostDisks)
    throw new SilkError(
      `a VM of the backend ${spec.backend} has at most ${mostDisks} disks, and not ${count}`,
      { code: "INVALID_SPEC", kind: "invalid" },
    );
  return planned;
}
