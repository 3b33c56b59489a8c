/**
 * What an image is for.
 * - `oci-vm`: layers, with a kernel of their own
 * - `oci-container`: layers, which need a kernel from elsewhere
 * - `cloudimg`: a disk that boots by firmware, and is told by cidata who it is
 */
export type ImageType = "oci-vm" | "oci-container" | "cloudimg";

/** What a guest is told by cidata at its first boot, besides its name, its addresses and its mounts. There is never a password. */
export interface GuestConfig {
  /** A user to make, with sudo. Default: the distribution's own. */
  readonly user?: string | undefined;
  /** Public keys, as in `authorized_keys`. */
  readonly sshKeys?: readonly string[] | undefined;
  /** `#cloud-config`, a script, or whatever else cloud-init takes. */
  readonly userData?: string | undefined;
}

/** A directory that a container sees: a virtiofs share. */
export interface ContainerMount {
  /** Of the share. */
  readonly tag: string;
  /** Absolute, in the guest. */
  readonly path: string;
  readonly readonly: boolean;
}

/** What a VM of a container's image runs. */
export interface ContainerRun {
  /** The program and its arguments: never empty. */
  readonly argv: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  /** Absolute. */
  readonly workingDir: string;
  /** `name` or `uid`, and `:group` or `:gid` where one is given. Empty for root. */
  readonly user: string;
  /** Whether it gets a terminal. */
  readonly tty: boolean;
  readonly mounts: readonly ContainerMount[];
  /** The signal that asks it to end, such as `SIGQUIT`. Default: SIGTERM. */
  readonly stopSignal?: string | undefined;
}

/** How the program of a container's VM has ended. */
export interface GuestExit {
  /** 0 to 255. Of one that was ended by a signal 128 and the signal's number, as a shell has it. */
  readonly exitCode: number;
  /** The signal that ended it: `SIGKILL`, or its number where it has no name. */
  readonly signal?: string | undefined;
}

/** What a user wants of a container's image to be run otherwise than its maker has set it. */
export interface RunSpec {
  /** In the place of the image's command. */
  readonly args?: readonly string[] | undefined;
  /** In the place of the image's entrypoint; its command does not count then. */
  readonly entrypoint?: readonly string[] | undefined;
  /** `NAME=value`, besides and over the image's. */
  readonly env?: readonly string[] | undefined;
  readonly workingDir?: string | undefined;
  readonly user?: string | undefined;
  /** Default false. */
  readonly tty?: boolean | undefined;
  readonly mounts?: readonly ContainerMount[] | undefined;
}

/** What a VM of an image is made of. */
export interface VmImage {
  /** As a person would type it: `debian:12`. */
  readonly name: string;
  /** What it is known by whatever its names are: `sha256:…`. */
  readonly digest: string;
  readonly type: ImageType;
  /** Whatever a VM of it needs for as long as it lives, for {@link VmRecord.imageBlobIds}. */
  readonly blobIds: readonly string[];
  /** Read-only disks, the lowest layer first, with the serials that published images know. */
  readonly layers: readonly { readonly path: string; readonly serial: string }[];
  /** What an OCI image boots with. */
  readonly kernelPath?: string | undefined;
  readonly initrdPath?: string | undefined;
  /** What the source calls the kernel that it has put to a container's image. */
  readonly kernelName?: string | undefined;
  /** Of a cloud image: the raw disk that a VM's own one begins as. Never written to. */
  readonly disk?: { readonly path: string; readonly virtualSizeBytes: number } | undefined;
  /** What a container's image runs. */
  readonly run?: ContainerRun | undefined;
}
