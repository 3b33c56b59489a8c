import { basename, join } from "node:path";
import {
  cmdlineOf,
  type Disk,
  type LoadedVm,
  type LoadRequest,
  type OperationContext,
  type SnapshotManifest,
  type VmRecord,
} from "@silkvm/core";
import { checkSnapshot } from "./check-snapshot.ts";
import { copyDisks } from "./copy-disks.ts";
import { isNamedQcow2 } from "./disk-config.ts";
import { chooseFor, load } from "./load.ts";
import type { Machine } from "./machine.ts";
import { makeRestoreFiles } from "./restore-files.ts";
import { diskFileNames, restoreDir } from "./snapshot-names.ts";
import { stopwatch } from "./stopwatch.ts";
import { throwAwayTap } from "./throw-away-tap.ts";

/** The disks of a clone: those that the snapshot holds are copied into its own directory, the others stay where they are. */
export function cloneDisks(
  machine: Machine,
  vm: { readonly id: string },
  { vm: { disks } }: SnapshotManifest,
): readonly Disk[] {
  const { dataDir } = machine.paths(vm);
  const names = diskFileNames(disks, (disk, index) =>
    isNamedQcow2(disks[index]?.file ?? disk.path),
  );
  return disks.map(({ file, ...disk }, index) =>
    file === undefined ? disk : { ...disk, path: join(dataDir, names[index] as string) },
  );
}

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
  // A cidata disk that is there already tells the clone who it is, and not who the snapshot's VM was.
  const made = new Set(await host.files.list(vmPaths.dataDir));
  const copies = manifest.vm.disks.flatMap(({ file, role }, index) => {
    const to = (disks[index] as Disk).path;
    if (file === undefined || (role === "cidata" && made.has(basename(to)))) return [];
    return [{ from: join(source.directory, file), to }];
  });
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
