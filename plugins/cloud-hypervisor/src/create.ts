import type { OperationContext, VmRecord } from "@silkvm/core";
import { createRawDisk } from "@silkvm/storage";
import type { Machine } from "./machine.ts";
import { disksToMake } from "./planned-disks.ts";

/** Makes the COW disk and the data disks, side by side. A disk that an interrupted create has finished is kept. */
export async function create(
  machine: Machine,
  vm: VmRecord,
  context: OperationContext,
): Promise<void> {
  const disks = disksToMake(vm, machine.paths(vm));
  if (disks.length > 0) context.progress("making the disks");
  const failed = new AbortController();
  const signals = [failed.signal, context.signal].filter((signal) => signal !== undefined);
  const signal = AbortSignal.any(signals);
  const outcomes = await Promise.allSettled(
    disks.map(async (disk) => {
      try {
        await createRawDisk(machine.host, { ...disk, signal });
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  if (outcomes.every(({ status }) => status === "fulfilled")) return;
  // No guest has seen any of them yet, so nothing is lost; and the caller may want to try again with another size.
  await Promise.allSettled(disks.map(({ path }) => machine.host.files.remove(path)));
  context.signal?.throwIfAborted();
  throw failed.signal.reason;
}
