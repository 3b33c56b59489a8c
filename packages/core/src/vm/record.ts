import type { RestoredMemory } from "../snapshot/restore-mode.ts";
import type { ProcessIdentity } from "../host.ts";
import type { ContainerRun, GuestConfig, ImageType } from "../image/vm-image.ts";

/**
 * - `creating`: its directories and disks are being made
 * - `created`: made, never started
 * - `running`: its VMM runs, and the guest with it
 * - `stopped`: it ran, and ended in order
 * - `error`: something went wrong (see `problem`); it can be started again, stopped, or removed
 */
export type VmState = "creating" | "created" | "running" | "stopped" | "error";

/** `layer` and `cidata` are read-only, `cow` and `data` are writable. */
export type DiskRole = "layer" | "cow" | "cidata" | "data";

/** One disk of a VM (Go: StorageConfig). */
export interface Disk {
  /** Absolute path of the image on the host. */
  readonly path: string;
  readonly role: DiskRole;
  readonly readonly: boolean;
  /** Virtio serial: at most 20 characters of `[A-Za-z0-9_.-]`. Left out where the guest does not need one. */
  readonly serial?: string | undefined;
  /** Size of a disk that is made with the VM; left out for one that was there before. */
  readonly sizeBytes?: number | undefined;
  /** O_DIRECT on or off for a data disk, whatever the VM's `noDirectIo` says. */
  readonly directIo?: boolean | undefined;
  /** The raw image that a COW disk begins as, where it does not begin empty. */
  readonly basePath?: string | undefined;
  /** Where cidata mounts a data disk in the guest. */
  readonly mountPoint?: string | undefined;
  readonly fstype?: "ext4" | "none" | undefined;
}

/** A network interface of a VM. */
export interface Nic {
  readonly tap: string;
  readonly mac: string;
  /** Receive and transmit queues together: 2 for each vCPU. */
  readonly queues: number;
  readonly queueSize: number;
  readonly provider: string;
  /** The bridge of the host that it is a port of. */
  readonly bridge?: string | undefined;
  /** The CNI network that it is in. */
  readonly network?: string | undefined;
  /** The network namespace of its VM. */
  readonly netnsPath?: string | undefined;
  /** The guest's static address; left out for DHCP. */
  readonly address?:
    | { readonly ip: string; readonly gateway: string; readonly prefix: number }
    | undefined;
}

/** A NIC that was taken from a VM, and that its guest has not let go of, or whose host's side could not be removed yet. */
export interface LeavingNic {
  readonly nic: Nic;
  /** Its id in the VMM. */
  readonly deviceId: string;
}

/** A kernel that the VMM boots, as a record has it: all paths are absolute. */
export interface DirectBoot {
  readonly kind: "direct";
  readonly kernelPath: string;
  readonly initrdPath?: string | undefined;
  /**
   * Whether the root is made of an image's layers and the COW disk: the kernel is told of them, and of the NICs, in front of `cmdline`.
   * {@link cmdlineOf} gives the whole of it.
   */
  readonly layered?: boolean | undefined;
  readonly cmdline: string;
}

/** A firmware that boots a disk of the VM, as a record has it. */
export interface FirmwareBoot {
  readonly kind: "firmware";
  readonly firmwarePath: string;
}

/** How a VM boots: a kernel directly, or a firmware that boots a disk. */
export type Boot = DirectBoot | FirmwareBoot;

/** What a VM was made to be: its specification, checked and completed. */
export interface VmConfig {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Size of the COW disk; 0 where there is none. */
  readonly storageBytes: number;
  /** Ring depth of each NIC queue; 0 means the default, 512. */
  readonly netQueueSize: number;
  /** Ring depth of each disk queue; 0 means the default, 512. */
  readonly diskQueueSize: number;
  readonly noDirectIo: boolean;
  readonly windows: boolean;
  readonly sharedMemory: boolean;
  readonly hugepages: boolean;
  /** Name of the image that it was made of. */
  readonly image?: string | undefined;
  readonly imageDigest?: string | undefined;
  readonly imageType?: ImageType | undefined;
  /** What the kernel that it boots is called, where its image is a container's and the kernel is the image source's. */
  readonly imageKernel?: string | undefined;
  /** What its guest is told by cidata. */
  readonly guest?: GuestConfig | undefined;
  /** What it runs, where its image is a container's. */
  readonly run?: ContainerRun | undefined;
  /** The network that its NICs are in: a name, or `KIND:NAME` (see {@link networkName}). */
  readonly network?: string | undefined;
  /** The bridge of the host that its NICs are ports of. */
  readonly bridge?: string | undefined;
  /** IPv4 addresses of the DNS servers that a guest of an image is told of. */
  readonly dns?: readonly string[] | undefined;
}

/** What is known of a VM's VMM since its start. */
export interface VmRuntime {
  readonly vmm: ProcessIdentity;
  /** The VMM's own version, such as `v53.0`. */
  readonly vmmVersion: string;
  readonly apiSocketPath: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** How it got its memory; left out for a VM that was booted. */
  readonly memory?: RestoredMemory | undefined;
}

/** What a kind of device remembers of one: JSON values only. */
export type DeviceData = Readonly<Record<string, unknown>>;

/** A device that was added to a VM while it ran. */
export interface Attachment<D extends DeviceData = DeviceData> {
  /** Name of its kind: `vfio`, `virtiofs`, … */
  readonly kind: string;
  /** Its id in the VMM. */
  readonly id: string;
  readonly data: D;
  /**
   * - `attaching`: it is being added
   * - `attached`
   * - `detaching`: it is being taken away: the guest has not let go of it, or the host's side could not be given back yet
   * - `detached`: its VM does not run, and gets it again when it is started
   */
  readonly state: "attaching" | "attached" | "detaching" | "detached";
  /** Whether the VM gets it again at each start. */
  readonly keep: boolean;
  /** Whether the VM is not to be started without it. Left out where it may be. */
  readonly required?: true | undefined;
}

/** Why a VM is in `error`. */
export interface VmProblem {
  readonly code: string;
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What silk remembers of a VM: what was wanted, and what was last done. */
export interface VmRecord {
  /** Number of the VM in its store: never used twice. Names its lock. */
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly backend: string;
  readonly state: VmState;
  readonly config: VmConfig;
  readonly boot: Boot;
  readonly disks: readonly Disk[];
  readonly nics: readonly Nic[];
  /** Left out where there are none. */
  readonly leavingNics?: readonly LeavingNic[] | undefined;
  /** Devices that were added while it ran; left out where there are none. */
  readonly attachments?: readonly Attachment[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly imageBlobIds: readonly string[];
  /** Snapshots of this VM, and those that it came from by clone or restore: what it may be restored to without force. */
  readonly snapshotIds: readonly string[];
  /** The snapshot that the VM last came from, by clone or restore. */
  readonly parentSnapshotId?: string | undefined;
  /** The snapshot that holds the memory of a VM that hibernates: waking it goes on from there. */
  readonly hibernatedIn?: string | undefined;
  /**
   * Whether its guest has booted as this VM: what cidata says has been read then. False also for a clone that goes on from a snapshot, until it is started from its
   * disks, where there is cidata to tell its guest who it is.
   */
  readonly firstBooted: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly runtime?: VmRuntime | undefined;
  /** How the program of a container's VM has ended when it last ran: 0 to 255, 128 and its number for a signal. Left out where it did not, or nobody knows. */
  readonly exitCode?: number | undefined;
  /** The signal that ended it, where one did: `SIGKILL`. */
  readonly exitSignal?: string | undefined;
  readonly problem?: VmProblem | undefined;
}

/** Where the things of one VM are. */
export interface VmPaths {
  /** Disks and what else must outlive a reboot of the host. */
  readonly dataDir: string;
  /** Sockets and what else ends with the VMM. */
  readonly runDir: string;
  readonly logPath: string;
  readonly apiSocketPath: string;
  readonly consoleSocketPath: string;
}
