import type { CallOptions, Host, VmPaths, VmRecord } from "@silkvm/core";
import { createBasedDisk } from "./based-disk.ts";
import { createRawDisk } from "../raw-disk.ts";
import { disksToMake } from "./planned-disks.ts";

/**
 * Makes the COW disk and the data disks of a new VM, side by side. A disk that an interrupted call has finished is kept. Where one fails none is left.
 * @throws SilkError as `createRawDisk` and `createQcow2Overlay`
 */
export async function makeDisks(
  host: Host,
  vm: VmRecord,
  paths: VmPaths,
  options: CallOptions = {},
): Promise<void> {
  const disks = disksToMake(vm, paths);
  const failed = new AbortController();
  const signals = [failed.signal, options.signal].filter((signal) => signal !== undefined);
  const signal = AbortSignal.any(signals);
  const outcomes = await Promise.allSettled(
    disks.map(async ({ basePath, ...disk }) => {
      try {
        if (basePath === undefined) await createRawDisk(host, { ...disk, signal });
        else await createBasedDisk(host, { ...disk, basePath, signal });
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  if (outcomes.every(({ status }) => status === "fulfilled")) return;
  // No guest has seen any of them yet, so nothing is lost; and the caller may want to try again with another size.
  await Promise.allSettled(disks.map(({ path }) => host.files.remove(path)));
  options.signal?.throwIfAborted();
  throw failed.signal.reason;
}
