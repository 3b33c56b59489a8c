import { join } from "node:path";
import {
  endVmm,
  type OperationContext,
  recordedVmm,
  type SaveTimings,
  SilkError,
  type SnapshotDisk,
  type SnapshotRequest,
  stopwatch,
  type VmRecord,
} from "@silkvm/core";
import {
  externalFiles,
  reserveSpace,
  sealDirectory,
  sideBySide,
  spaceForSnapshot,
} from "@silkvm/storage";
import { fromQmp } from "./from-qmp.ts";
import type { Machine } from "./machine.ts";
import { machineName, memoryName, writeMachineDocument } from "./machine-document.ts";
import { memoryFormat, saveGuest } from "./migration.ts";
import { openMonitor } from "./monitor.ts";
import { resume, resumeAfter } from "./pause.ts";
import { removeSockets } from "./remove-sockets.ts";
import { runState, standsStill } from "./run-state.ts";
import { saveable } from "./saveable.ts";

/** How long a VMM that is to end after a snapshot may take to close its disks. */
const endGraceMs = 5_000;

/**
 * Saves a VM. It stands still while its memory and its writable disks are saved, so that both are of one moment, and runs on as soon as they are, or as something goes
 * wrong. QEMU has given its disks out of its hands by then: what was in its caches is in the files.
 */
export async function snapshot(
  machine: Machine,
  vm: VmRecord,
  request: SnapshotRequest,
  context: OperationContext,
): Promise<SaveTimings> {
  const { host } = machine;
  const { signal, progress } = context;
  const { directory } = request;
  signal?.throwIfAborted();
  const total = stopwatch(host);
  if (recordedVmm(machine, vm) === undefined) throw notRunning(vm);
  const what = `the VM ${vm.name} could not be saved`;
  await using monitor = await openMonitor(machine, vm, { signal }).catch((error: unknown) => {
    throw fromQmp(error, what);
  });
  const { disks, document } = await saveable(machine, vm, monitor).catch((error: unknown) => {
    throw fromQmp(error, what);
  });
  await using room = await reserveSpace(
    host,
    directory,
    await spaceForSnapshot(host, directory, vm, disks),
  );
  signal?.throwIfAborted();

  progress("saving the guest's memory and its disks");
  const times = { pauseMs: 0, memoryMs: 0, copyMs: 0, resumeMs: 0, sealMs: 0, publishMs: 0 };
  const pausedAt = new Date(host.clock.now()).toISOString();
  const paused = stopwatch(host);
  let standing = true;
  try {
    // A guest that somebody left paused is as good.
    if (!standsStill(await runState(monitor))) await monitor.execute("stop");
    await room.release();
    const memory = stopwatch(host);
    const format = memoryFormat(monitor.version);
    const target = { version: monitor.version, format, path: join(directory, memoryName) };
    await saveGuest(host, monitor, target, { signal });
    times.memoryMs = memory();
    const copying = stopwatch(host);
    await copyInto(machine, directory, disks.filter(isWritable), signal);
    times.copyMs = copying();
    if (request.afterwards === "resume") {
      const resuming = stopwatch(host);
      await resume(machine, vm, monitor);
      standing = false;
      times.resumeMs = resuming();
    }
    times.pauseMs = Math.max(1, paused());

    progress("making the snapshot durable");
    const sealing = stopwatch(host);
    // Nobody writes to these.
    await copyInto(
      machine,
      directory,
      disks.filter((disk) => disk.file !== undefined && disk.readonly),
      signal,
    );
    await writeMachineDocument(host, directory, { ...document, memory: format });
    const names = disks.flatMap(({ file }) => (file === undefined ? [] : [file]));
    const files = await sealDirectory(host, directory, [machineName, memoryName, ...names], {
      signal,
    });
    const externals = await externalFiles(host, vm, disks, { signal });
    times.sealMs = sealing();
    const publishing = stopwatch(host);
    await request.publish({
      disks,
      files,
      externals,
      pausedAt,
      vmmVersion: vm.runtime?.vmmVersion ?? "",
    });
    times.publishMs = publishing();
  } catch (error) {
    if (standing) await resumeAfter(machine, vm, monitor, error);
    throw fromQmp(error, what);
  }
  if (request.afterwards === "stop") {
    progress("ending the VMM");
    await endVmm(machine, vm, { graceMs: endGraceMs });
    await removeSockets(machine, vm);
  }
  return { ...times, totalMs: total() };
}

function isWritable({ readonly, file }: SnapshotDisk): boolean {
  return file !== undefined && !readonly;
}

async function copyInto(
  { host }: Machine,
  directory: string,
  disks: readonly SnapshotDisk[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await sideBySide(
    disks,
    ({ path, file }, either) =>
      host.files.copy(path, join(directory, file as string), { signal: either }),
    { signal },
  );
}

function notRunning(vm: VmRecord): SilkError {
  return new SilkError(`the VM ${vm.name} does not run: there is nothing to save of it`, {
    code: "VM_NOT_RUNNING",
    kind: "conflict",
    hint: `Start it first: silk vm start ${vm.name}`,
    details: { id: vm.id },
  });
}
