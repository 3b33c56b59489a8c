import { join } from "node:path";
import { isOnDemandRestoreInProgress } from "@silkvm/ch-client";
import {
  endVmm,
  type OperationContext,
  recordedVmm,
  type SavedSnapshot,
  type SaveTimings,
  SilkError,
  type SnapshotDisk,
  type SnapshotRequest,
  stopwatch,
  type VmRecord,
} from "@silkvm/core";
import {
  externalFiles,
  isNamedQcow2,
  reserveSpace,
  sealDirectory,
  sideBySide,
  snapshotUnsupported,
  spaceForSnapshot,
} from "@silkvm/storage";
import { openClient } from "./client.ts";
import { makePlain } from "./cow-rewrite.ts";
import { fromVmm } from "./from-vmm.ts";
import type { Machine } from "./machine.ts";
import { pause, resume, resumeAfter } from "./pause.ts";
import { disksToSave } from "./saveable.ts";
import { formatDocuments, parseDocuments } from "./snapshot-documents.ts";
import { configName, memoryName, restoreDir, stateName } from "./snapshot-names.ts";
import { removeSockets } from "./remove-sockets.ts";

/** How long a VMM that is to end after a snapshot may take to close its disks. */
const endGraceMs = 5_000;

/**
 * Saves a VM. It stands still while its memory and its writable disks are saved, so that both are of one moment, and runs on as soon as they are, or as
 * something goes wrong. The VMM has where new blocks of a qcow2 image are in its own memory until the guest flushes, and nobody can make it write that down: the user
 * is told. An abort is minded where the guest does not stand still for nothing: before the pause, after the memory, and from then on.
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
  const vmm = recordedVmm(machine, vm);
  if (vmm === undefined) throw notRunning(vm);
  await using client = openClient(machine, vm);
  const info = await client.vm.info({ signal }).catch((error: unknown) => {
    throw fromVmm(error, `the VM ${vm.name} could not be asked what it has`);
  });
  const disks = await disksToSave(machine, vm, info);
  for (const { path } of disks.filter((disk) => isWritable(disk) && isNamedQcow2(disk.path)))
    context.warn(
      `${path} is a qcow2 image: what the guest has written to it and not flushed (sync) is not in the snapshot`,
    );
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
  let standsStill = true;
  try {
    // A guest that somebody left paused is as good.
    if (info.state !== "Paused") await pause(machine, vm, vmm, client);
    await room.release();
    const memory = stopwatch(host);
    await client.vm.snapshot({ destination_url: `file://${directory}` });
    times.memoryMs = memory();
    signal?.throwIfAborted();
    const copying = stopwatch(host);
    await copyInto(machine, directory, disks.filter(isWritable), signal);
    times.copyMs = copying();
    if (request.afterwards === "resume") {
      const resuming = stopwatch(host);
      await resume(machine, vm, client);
      standsStill = false;
      times.resumeMs = resuming();
    }
    times.pauseMs = paused();

    progress("making the snapshot durable");
    const sealing = stopwatch(host);
    const saved = await seal(machine, vm, directory, disks, signal);
    times.sealMs = sealing();
    const publishing = stopwatch(host);
    await request.publish({ ...saved, pausedAt, vmmVersion: vm.runtime?.vmmVersion ?? "" });
    times.publishMs = publishing();
  } catch (error) {
    if (standsStill) await resumeAfter(machine, vm, client, error);
    throw told(vm, error);
  }
  if (request.afterwards === "stop") {
    progress("ending the VMM");
    await endVmm(machine, vm, { graceMs: endGraceMs });
    await removeSockets(machine, vm);
    await host.files.remove(restoreDir(machine.paths(vm)));
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

/** Saves what nobody writes to, and makes all of it durable. */
async function seal(
  machine: Machine,
  vm: VmRecord,
  directory: string,
  disks: readonly SnapshotDisk[],
  signal: AbortSignal | undefined,
): Promise<Pick<SavedSnapshot, "disks" | "files" | "externals">> {
  const { host } = machine;
  const readonly = disks.filter((disk) => disk.file !== undefined && disk.readonly);
  await copyInto(machine, directory, readonly, signal);
  await plain(machine, directory);
  const names = disks.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const files = await sealDirectory(
    host,
    directory,
    [configName, stateName, memoryName, ...names],
    { signal },
  );
  return { disks, files, externals: await externalFiles(host, vm, disks, { signal }) };
}

/** What the VMM wrote of a guest on mapped memory names another snapshot's file. */
async function plain({ host }: Machine, directory: string): Promise<void> {
  const config = await host.files.readText(join(directory, configName));
  if (!config.includes('"zones"')) return;
  const state = await host.files.readText(join(directory, stateName));
  const texts = formatDocuments(makePlain(parseDocuments({ config, state })));
  await host.files.writeAtomic(join(directory, configName), texts.config, { mode: 0o600 });
  await host.files.writeAtomic(join(directory, stateName), texts.state, { mode: 0o600 });
}

function told(vm: VmRecord, error: unknown): unknown {
  const what = `the VM ${vm.name} could not be saved`;
  if (isOnDemandRestoreInProgress(error))
    return new SilkError(`${what}: it is still reading the memory that it was restored with`, {
      code: "MEMORY_STILL_LOADING",
      kind: "unavailable",
      hint: "Try again in some seconds.",
      details: { id: vm.id },
      cause: error,
    });
  if (/GetNestedState/.test((error as Error).message))
    return snapshotUnsupported(
      `${what}: this host's KVM does not tell the state of nested guests`,
      {
        hint: "It is KVM itself that lacks it: use another kernel.",
        cause: error,
      },
    );
  return fromVmm(error, what);
}

function notRunning(vm: VmRecord): SilkError {
  return new SilkError(`the VM ${vm.name} does not run: there is nothing to save of it`, {
    code: "VM_NOT_RUNNING",
    kind: "conflict",
    hint: `Start it first: silk vm start ${vm.name}`,
    details: { id: vm.id },
  });
}
