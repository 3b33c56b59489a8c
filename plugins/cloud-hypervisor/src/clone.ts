import {
  cmdlineOf,
  type LoadedVm,
  type LoadRequest,
  type OperationContext,
  stopwatch,
  throwAwayTap,
  type VmRecord,
} from "@silkvm/core";
import { copyDisks, diskCopies } from "@silkvm/storage";
import { checkSnapshot } from "./check-snapshot.ts";
import { chooseFor, load } from "./load.ts";
import type { Machine } from "./machine.ts";
import { makeRestoreFiles } from "./restore-files.ts";
import { restoreDir } from "./snapshot-names.ts";

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
  const { host, paths } = machine;
  const { source } = request;
  const { signal, progress } = context;
  signal?.throwIfAborted();
  const total = stopwatch(host);
  progress("checking the snapshot");
  const checked = await checkSnapshot(machine, source, context);
  const choice = chooseFor(machine, checked, request, "clone", context);
  const checkMs = total();

  progress("copying the disks");
  const vmPaths = paths(vm);
  const { manifest } = source;
  const disks = vm.disks.slice(0, manifest.vm.disks.length);
  const copies = await diskCopies(machine, vm, source);
  await copyDisks(host, copies, { signal });
  const directory = restoreDir(vmPaths);
  const files = {
    checked,
    directory,
    used: choice.used,
    placement: {
      diskPaths: disks.map(({ path }) => path),
      // With the snapshot's own TAPs the clone would take part in its source's traffic.
      taps: manifest.vm.nics.map(() => throwAwayTap(host)),
      boot: vm.boot,
      cmdline: cmdlineOf(vm),
      consoleSocketPath: vmPaths.consoleSocketPath,
    },
  };
  await makeRestoreFiles(machine, source, { ...files, madeIn: directory }, { signal });
  const copyMs = total() - checkMs;

  const { runtime, times } = await load(
    machine,
    vm,
    {
      manifest,
      files,
      choice,
      strict: request.strict,
      swapNics: true,
      moreDisks: vm.disks.slice(disks.length),
    },
    context,
  );
  return { runtime, timings: { checkMs, copyMs, ...times, totalMs: total() } };
}
