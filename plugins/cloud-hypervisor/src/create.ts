import type { OperationContext, VmRecord } from "@silkvm/core";
import { disksToMake, makeDisks } from "@silkvm/storage";
import type { Machine } from "./machine.ts";

/** Makes the COW disk and the data disks. A disk that an interrupted create has finished is kept. */
export async function create(
  { host, paths }: Machine,
  vm: VmRecord,
  { signal, progress }: OperationContext,
): Promise<void> {
  if (disksToMake(vm, paths(vm)).length > 0) progress("making the disks");
  await makeDisks(host, vm, paths(vm), { signal });
}
