import { join } from "node:path";
import {
  cmdlineOf,
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
  stagedDir,
  type StagedDisk,
  stageDisks,
} from "@silkvm/storage";
import { checkSnapshot } from "./check-snapshot.ts";
import { chooseFor, load } from "./load.ts";
import type { Machine } from "./machine.ts";
import { recover } from "./recover.ts";
import { makeRestoreFiles } from "./restore-files.ts";
import { restoreDir } from "./snapshot-names.ts";
import { stop } from "./stop.ts";

/**
 * Takes a VM back to a snapshot. Everything is staged beside what the VM has and checked before the VM is touched; then its VMM is ended, and
 * with nobody to see a half of it the disks are exchanged, and a new VMM restores the guest.
 */
export async function restore(
  machine: Machine,
  vm: VmRecord,
  request: RestoreRequest,
  context: OperationContext,
): Promise<LoadedVm> {
  const { host } = machine;
  const { signal, progress } = context;
  signal?.throwIfAborted();
  const total = stopwatch(host);
  progress("checking the snapshot");
  const { manifest } = request.source;
  const matched = matchDisks(vm, manifest);
  if (manifest.vm.nics.length !== vm.nics.length)
    throw snapshotMismatch(
      `the snapshot has ${manifest.vm.nics.length} NICs, and the VM ${vm.name} has ${vm.nics.length}`,
    );
  const checked = await checkSnapshot(machine, request.source, context);
  const choice = chooseFor(machine, checked, request, "restore", context);
  const checkMs = total();

  progress("copying the disks");
  await recover(machine, vm, context);
  const directory = restoreDir(machine.paths(vm));
  const files = {
    checked,
    directory,
    used: choice.used,
    placement: {
      diskPaths: matched.map(({ disk }) => disk.path),
      taps: vm.nics.map(({ tap }) => tap),
      boot: vm.boot,
      cmdline: cmdlineOf(vm),
      consoleSocketPath: machine.paths(vm).consoleSocketPath,
    },
  };
  const staged = stagedDir(machine.paths(vm));
  const stagedFiles = join(staged, "restore");
  let disks: readonly StagedDisk[];
  try {
    disks = await stageDisks(machine, vm, request.source, context);
    await makeRestoreFiles(machine, request.source, { ...files, madeIn: stagedFiles }, { signal });
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
  await host.files.rename(stagedFiles, directory);
  const swapMs = total() - copyMs - checkMs;
  const { runtime: _runtime, ...stopped } = vm;
  const { runtime, times } = await load(
    machine,
    stopped,
    { manifest, files, choice, strict: request.strict, swapNics: false, moreDisks: [] },
    context,
  );
  await host.files.remove(staged).catch((error: unknown) => {
    machine.logger.debug(`${staged} is left: ${(error as Error).message}`);
  });
  return { runtime, timings: { checkMs, copyMs, swapMs, ...times, totalMs: total() } };
}
