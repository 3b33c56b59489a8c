import type { OperationContext, VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** All that this backend makes lies in the VM's own directories, which the engine removes. Disks that were given to the VM are not touched. */
export async function remove(
  _machine: Machine,
  _vm: VmRecord,
  { signal }: OperationContext,
): Promise<void> {
  signal?.throwIfAborted();
}
