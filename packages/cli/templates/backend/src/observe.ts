import { recordedVmm, type VmObservation, type VmRecord } from "@silkvm/core";
import { type Machine, places } from "./machine.ts";

/** What is true of a VM, whatever its record says. */
export async function observe(machine: Machine, vm: VmRecord): Promise<VmObservation> {
  const identity = recordedVmm(machine, vm);
  if (identity !== undefined) return { vmm: "running", identity };
  // A guest that has shut down is told from a VMM that has crashed by what the VMM leaves behind.
  const { ended } = places(machine, vm);
  return { vmm: (await machine.host.files.stat(ended)) === undefined ? "absent" : "ended" };
}
