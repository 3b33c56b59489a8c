import type { OperationContext, VmRecord } from "@silkvm/core";
import { disksToMake, makeDisks } from "@silkvm/storage";
import type { Machine } from "./machine.ts";

/** Makes the COW disk and the data disks. */
export async function create(
  { host, paths }: Machine,
  vm: VmRecord,
  context: OperationContext,
): Promise<void> {
  if (disksToMake(vm, paths(vm)).length > 0) context.progress("making the disks");
  await makeDisks(host, vm, paths(vm), { signal: context.signal });
}
