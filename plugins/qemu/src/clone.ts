import {
  type LoadedVm,
  type LoadRequest,
  type OperationContext,
  stopwatch,
  throwAwayTap,
  type VmRecord,
} from "@silkvm/core";
import { copyDisks, diskCopies } from "@silkvm/storage";
import { checkSnapshot } from "./check-snapshot.ts";
import { load } from "./load.ts";
import type { Machine } from "./machine.ts";
import { chooseMode } from "./restore-mode.ts";

/**
 * Brings up a new VM from a snapshot, beside the VM that the snapshot is of and its other clones: with disks and NICs of its own.
 * Where it throws nothing of it runs.
 */
export async function clone(
  machine: Machine,
  vm: VmRecord,
  request: LoadRequest,
  context: OperationContext,
): Promise<LoadedVm> {
  const { host } = machine;
  const { source } = request;
  const { signal, progress } = context;
  signal?.throwIfAborted();
  const total = stopwatch(host);
  progress("checking the snapshot");
  const document = await checkSnapshot(machine, source, context);
  const memory = chooseMode(request, context);
  const checkMs = total();

  progress("copying the disks");
  await copyDisks(host, await diskCopies(machine, vm, source), { signal });
  const copyMs = total() - checkMs;

  const { manifest } = source;
  const count = manifest.vm.disks.length;
  const { runtime, times } = await load(
    machine,
    vm,
    {
      source,
      document,
      memory,
      disks: vm.disks.slice(0, count),
      // With the snapshot's own TAPs the clone would take part in its source's traffic.
      taps: manifest.vm.nics.map(() => throwAwayTap(host)),
      swapNics: true,
      moreDisks: vm.disks.slice(count),
    },
    context,
  );
  return { runtime, timings: { checkMs, copyMs, ...times, totalMs: total() } };
}
