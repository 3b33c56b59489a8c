import type { HostCpu } from "../host.ts";
import type { Boot, Disk, Nic, VmConfig } from "../vm/record.ts";

/** One file of a snapshot's directory. */
export interface SnapshotFile {
  /** A plain name, without a directory. */
  readonly name: string;
  readonly sizeBytes: number;
  /**
   * Lower-case hex. The SHA-256 of the SHA-256 digests of the file's chunks of 1 MiB, the last one shorter, so that what is a hole,
   * or all zeros, costs nothing. An empty file has the SHA-256 of nothing.
   */
  readonly chunksSha256: string;
}

/**
 * A file of the host that a snapshot needs and does not hold: a kernel, a firmware, a read-only disk, the image below an overlay. A snapshot
 * from elsewhere may only use one whose content it knows, or that the user allows: it could name any secret of the host otherwise.
 */
export interface ExternalFile {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes?: number | undefined;
  /** As of {@link SnapshotFile}. Left out where it is not known: the user has to allow the file then. */
  readonly chunksSha256?: string | undefined;
}

/** A disk of the VM as the snapshot has it. */
export interface SnapshotDisk extends Disk {
  /** Name of the file with its content; left out for one that is not in the snapshot, and must be at `path` wherever it is used. */
  readonly file?: string | undefined;
}

/** The VM that a snapshot is of, as it was. */
export interface SnapshottedVm {
  readonly id: string;
  readonly name: string;
  readonly config: VmConfig;
  readonly boot: Boot;
  /** In the order in which the guest sees them. */
  readonly disks: readonly SnapshotDisk[];
  readonly nics: readonly Nic[];
  readonly labels: Readonly<Record<string, string>>;
  readonly imageBlobIds: readonly string[];
  /** As a VM's record has it: whether what its cidata says had been read. */
  readonly firstBooted: boolean;
}

/** What the machine was, for whoever wonders why a snapshot does not come up elsewhere. */
export interface SnapshotHost {
  readonly arch: string;
  /** As the VMM tells it, such as `v53.0`. */
  readonly vmmVersion: string;
  /** Left out where it is not known, as in older snapshots and those of other programs. */
  readonly cpu?: HostCpu | undefined;
}

/**
 * What a snapshot is: `silk.json` in its directory, written last. A directory without it is no snapshot. Nothing of it is believed when it comes
 * from elsewhere: paths of what is made are built anew from silk's own directories, and others have to be allowed by the user.
 */
export interface SnapshotManifest {
  readonly format: "silk-snapshot";
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** ISO 8601: the moment that the snapshot is of. */
  readonly createdAt: string;
  readonly backend: string;
  readonly host: SnapshotHost;
  readonly vm: SnapshottedVm;
  /** The snapshot that the VM had come from, by clone or restore. */
  readonly parentId?: string | undefined;
  /** Every file outside of the directory that the VM needs. */
  readonly externals: readonly ExternalFile[];
  /** Every file of the directory but the manifest. */
  readonly files: readonly SnapshotFile[];
}

/** Name of the manifest in a snapshot's directory. */
export const manifestName = "silk.json";
