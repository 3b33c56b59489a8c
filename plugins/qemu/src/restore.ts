import {
  type LoadedVm,
  type OperationContext,
  type RestoreRequest,
  stopwatch,
  type VmRecord,
} from "@silkvm/core";
import {
  commitSwap,
  exchange,
  finishSwap,
  matchDisks,
  snapshotMismatch,
  stageDisks,
  stagedDir,
  type StagedDisk,
} from "@silkvm/storage";
import { checkSnapshot } from "./check-snapshot.ts";
import { load } from "./load.ts";
import type { Machine } from "./machine.ts";
import { recover } from "./recover.ts";
import { chooseMode } from "./restore-mode.ts";
import { stop } from "./stop.ts";

/**
 * Takes a VM back to a snapshot. Everything is staged beside what the VM has and checked before the VM is touched; then its VMM is ended, and with nobody to see a half
 * of it the disks are exchanged, and a new VMM goes on with the guest.
 */
export async function restore(
  machine: Machine,
  vm: VmRecord,
  request: RestoreRequest,
  context: OperationContext,
): Promise<LoadedVm> {
  const { host } = machine;
  const { source } = request;
  const { signal, progress } = context;
  signal?.throwIfAborted();
  const total = stopwatch(host);
  progress("checking the snapshot");
  const { manifest } = source;
  const matched = matchDisks(vm, manifest);
  if (manifest.vm.nics.length !== vm.nics.length)
    throw snapshotMismatch(
      `the snapshot has ${manifest.vm.nics.length} NICs, and the VM ${vm.name} has ${vm.nics.length}`,
    );
  const document = await checkSnapshot(machine, source, context);
  const memory = chooseMode(request, context);
  const checkMs = total();

  progress("copying the disks");
  await recover(machine, vm, context);
  const staged = stagedDir(machine.paths(vm));
  let disks: readonly StagedDisk[];
  try {
    disks = await stageDisks(machine, vm, source, { signal });
    signal?.throwIfAborted();
    await request.beforeTouching();
  } catch (error) {
    await finishSwap(machine, vm).catch((left: unknown) => {
      machine.logger.debug(`${staged} is left: ${(left as Error).message}`);
    });
    throw error;
  }
  const copyMs = total() - checkMs;

  progress("ending the VMM");
  // Without the signal: what has begun here is brought to its end, or it would be neither the one nor the other.
  await stop(machine, vm, { force: true, graceMs: 0 }, { ...context, signal: undefined });
  await commitSwap(machine, vm);
  await exchange(machine, disks);
  const swapMs = total() - copyMs - checkMs;
  const { runtime: _runtime, ...stopped } = vm;
  const { runtime, times } = await load(
    machine,
    stopped,
    {
      source,
      document,
      memory,
      disks: matched.map(({ disk }) => disk),
      taps: vm.nics.map(({ tap }) => tap),
      swapNics: false,
      moreDisks: [],
    },
    context,
  );
  await host.files.remove(staged).catch((error: unknown) => {
    machine.logger.debug(`${staged} is left: ${(error as Error).message}`);
  });
  return { runtime, timings: { checkMs, copyMs, swapMs, ...times, totalMs: total() } };
}
