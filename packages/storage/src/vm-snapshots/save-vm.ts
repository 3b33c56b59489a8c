import { join } from "node:path";
import {
  type BackendContext,
  endVmm,
  type OperationContext,
  type SaveTimings,
  SilkError,
  type SnapshotDisk,
  type SnapshotRequest,
  stopwatch,
  type VmmFinder,
  type VmRecord,
} from "@silkvm/core";
import { reserveSpace } from "../reserve-space.ts";
import { sealDirectory } from "../seal/seal-directory.ts";
import { externalFiles } from "./externals.ts";
import { sideBySide } from "./side-by-side.ts";
import { spaceForSnapshot } from "./snapshot-space.ts";

/** How long a VMM that is to end after a snapshot may take to close its disks. */
const endGraceMs = 5_000;

/** What a VMM does as its VM is saved, in this order. */
export interface GuestSaver {
  /** Lets the guest stand still; one that does already is fine. */
  pause(): Promise<void>;
  /** With the guest standing still, writes its memory and whatever else may not change meanwhile into the snapshot's directory. */
  saveGuest(): Promise<void>;
  /** Lets the guest run on. */
  resume(): Promise<void>;
  /** Writes what is left to write, when the guest runs again. @returns the names of all files in the snapshot's directory but those of disks */
  finish(): Promise<readonly string[]>;
  /** Removes what the VMM leaves, once it has ended for good. */
  clearUp(): Promise<void>;
}

/** A VM that is to be saved. */
export interface VmToSave {
  readonly vm: VmRecord;
  /** Its disks, and the files that they become. */
  readonly disks: readonly SnapshotDisk[];
  readonly saver: GuestSaver;
}

/**
 * Saves a VM. It stands still while its memory and its writable disks are saved, so that both are of one moment, and runs on as soon as they are, or as something
 * goes wrong. Disks are copied after the memory, when the VMM has written what it had in its hands.
 * @throws SilkError `RESUME_FAILED`, `DISK_FULL`; errors of the saver and of the host
 */
export async function saveVm(
  machine: VmmFinder & Pick<BackendContext, "logger">,
  { vm, disks, saver }: VmToSave,
  { directory, afterwards, publish }: SnapshotRequest,
  { signal, progress }: OperationContext,
): Promise<SaveTimings> {
  const { host } = machine;
  const total = stopwatch(host);
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
  const copy = (isOurs: (disk: SnapshotDisk) => boolean): Promise<void> =>
    sideBySide(
      disks.filter((disk) => disk.file !== undefined && isOurs(disk)),
      ({ path, file }, either) =>
        host.files.copy(path, join(directory, file as string), { signal: either }),
      { signal },
    );
  let standsStill = true;
  try {
    await saver.pause();
    await room.release();
    const memory = stopwatch(host);
    await saver.saveGuest();
    times.memoryMs = memory();
    signal?.throwIfAborted();
    const copying = stopwatch(host);
    await copy(({ readonly }) => !readonly);
    times.copyMs = copying();
    if (afterwards === "resume") {
      const resuming = stopwatch(host);
      await saver.resume();
      standsStill = false;
      times.resumeMs = resuming();
    }
    times.pauseMs = Math.max(1, paused());

    progress("making the snapshot durable");
    const sealing = stopwatch(host);
    // Nobody writes to these.
    await copy(({ readonly }) => readonly);
    const names = disks.flatMap(({ file }) => (file === undefined ? [] : [file]));
    const all = [...(await saver.finish()), ...names];
    const files = await sealDirectory(host, directory, all, { signal });
    const externals = await externalFiles(host, vm, disks, { signal });
    times.sealMs = sealing();
    const publishing = stopwatch(host);
    const vmmVersion = vm.runtime?.vmmVersion ?? "";
    await publish({ disks, files, externals, pausedAt, vmmVersion });
    times.publishMs = publishing();
  } catch (error) {
    if (standsStill) await resumeAfter(vm, saver, error);
    throw error;
  }
  if (afterwards === "stop") {
    progress("ending the VMM");
    await endVmm(machine, vm, { graceMs: endGraceMs });
    await saver.clearUp();
  }
  return { ...times, totalMs: total() };
}

/** Lets the guest run on after a failure, or tells of both. */
async function resumeAfter(vm: VmRecord, saver: GuestSaver, failure: unknown): Promise<void> {
  try {
    await saver.resume();
  } catch (error) {
    throw new SilkError(
      `the VM ${vm.name} was paused to be saved, and could not be resumed: ${(error as Error).message}`,
      {
        code: "RESUME_FAILED",
        kind: "failed",
        hint: "The next command on it tries again; if that does not help, end it: silk vm stop --force",
        details: { id: vm.id, because: (failure as Error).message },
        cause: failure,
      },
    );
  }
}
