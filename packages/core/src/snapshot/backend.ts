import { SilkError } from "../errors.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { Disk, VmRecord, VmRuntime } from "../vm/record.ts";
import type { ExternalFile, SnapshotDisk, SnapshotFile, SnapshotManifest } from "./manifest.ts";
import type { RestoreMode } from "./restore-mode.ts";

/** How long an operation took, and its parts: `copyMs`, `restoreMs`, … */
export interface Timings {
  readonly totalMs: number;
  readonly [part: `${string}Ms`]: number;
}

/** How long each part of a save took. */
export interface SaveTimings extends Timings {
  /** How long the guest stood still. */
  readonly pauseMs: number;
}

/** What a backend is given to save a VM. */
export interface SnapshotRequest {
  /** An empty directory that nobody else looks into, in which the snapshot is made. */
  readonly directory: string;
  /** `resume`: the guest runs on as soon as its memory and its disks are saved. `stop`: it stays paused until the snapshot is published, and is then ended. */
  readonly afterwards: "resume" | "stop";
  /** Makes the snapshot durable and known. Called once all its files are whole and on the disk. Where it throws there is no snapshot, and the guest runs on. */
  readonly publish: (saved: SavedSnapshot) => Promise<void>;
}

/** What a backend has put into a snapshot's directory. */
export interface SavedSnapshot {
  /** The VM's disks as they were attached, each with the file that has its content. */
  readonly disks: readonly SnapshotDisk[];
  readonly files: readonly SnapshotFile[];
  readonly externals: readonly ExternalFile[];
  /** ISO 8601: when the guest was paused. */
  readonly pausedAt: string;
  readonly vmmVersion: string;
}

/** A snapshot in a directory, to be used and never written to. */
export interface SnapshotSource {
  readonly directory: string;
  readonly manifest: SnapshotManifest;
  /**
   * Whether every byte is to be checked against the manifest, also of the external files that have a digest there: not where these very files
   * have been checked before. That they are there, and their sizes, are always checked.
   */
  readonly checkContent: boolean;
  /** Whether the external files must be on this host: not yet when a snapshot is only taken in. */
  readonly checkExternals: boolean;
  /**
   * Files of images that are elsewhere on this host: by the paths that the backend's own files in the directory name, the paths that the manifest given here names instead.
   * Left out where there are none.
   */
  readonly moved?: ReadonlyMap<string, string> | undefined;
}

/** What a backend is given to bring a VM up from a snapshot. */
export interface LoadRequest {
  readonly source: SnapshotSource;
  readonly mode: RestoreMode;
  /** Fail where the mode is not possible, instead of using another one. */
  readonly strict: boolean;
}

/** What a backend is given to take a VM back to a snapshot. */
export interface RestoreRequest extends LoadRequest {
  /** Called when everything is staged and checked, right before the VM is touched. Where it throws the VM is left untouched. */
  readonly beforeTouching: () => Promise<void>;
}

/** A VM that runs again. */
export interface LoadedVm {
  /** With `memory`, which tells the mode. */
  readonly runtime: VmRuntime;
  readonly timings: Timings;
}

/** The part of a {@link Hypervisor} that saves VMs and brings them back. */
export interface Snapshotter {
  /**
   * Saves a running VM: memory and disks of one moment. The guest stands still while its memory and its disks are saved, and runs
   * on whatever fails.
   * @throws SilkError `VM_NOT_RUNNING`, `SNAPSHOT_UNSUPPORTED` that names the device which stands in the way, `DISK_FULL`
   */
  snapshot(vm: VmRecord, request: SnapshotRequest, context: OperationContext): Promise<SaveTimings>;
  /**
   * Checks a snapshot as far as this backend can without using it: that its files are there, whole and of one piece, and that what it
   * needs besides is on this host.
   * @throws SilkError `SNAPSHOT_DAMAGED`, `SNAPSHOT_UNSUPPORTED`, `FILE_NOT_FOUND`
   */
  checkSnapshot(source: SnapshotSource, context: OperationContext): Promise<void>;
  /** The disks that a clone will have: those with content in the snapshot lie in the clone's own data directory. */
  cloneDisks(vm: { readonly id: string }, manifest: SnapshotManifest): readonly Disk[];
  /**
   * Brings up a new VM from a snapshot, with the disks of {@link Snapshotter.cloneDisks} and the NICs of its record instead of the
   * snapshot's. Its data directory is there, and empty but for a cidata disk of its own, where it has one: that is kept. Checks the snapshot first. Where it throws, nothing of it runs any more.
   */
  clone(vm: VmRecord, request: LoadRequest, context: OperationContext): Promise<LoadedVm>;
  /**
   * Takes a VM back to a snapshot, running or not: the same disks and NICs with the snapshot's content. All is staged and
   * checked before the VM is touched; what fails before that leaves the VM as it was. What fails later leaves a VM that does not run, whose disks
   * are all the snapshot's or all its own ({@link Snapshotter.recover} sees to that).
   */
  restore(vm: VmRecord, request: RestoreRequest, context: OperationContext): Promise<LoadedVm>;
  /**
   * Clears up after an operation on this VM whose owner died: a guest that was left paused runs on, what was staged is removed, and an
   * exchange of disks that had begun is finished. Nothing to do is fine.
   */
  recover(vm: VmRecord, context: OperationContext): Promise<void>;
}

/** What a backend that saves no VMs has in the place of a {@link Snapshotter}: each of its calls rejects with `SNAPSHOT_UNSUPPORTED`. */
export function withoutSnapshots(backend: string): Snapshotter {
  const refuse = async (): Promise<never> => {
    throw new SilkError(`the backend "${backend}" cannot save VMs and bring them back`, {
      code: "SNAPSHOT_UNSUPPORTED",
      kind: "unsupported",
      details: { backend },
    });
  };
  return {
    snapshot: refuse,
    checkSnapshot: refuse,
    cloneDisks: () => [],
    clone: refuse,
    restore: refuse,
    recover: async () => {},
  };
}
