import { type CapabilityToken, defineCapability, type HotPlug } from "@silkvm/core";

/**
 * How the guest may cache what it reads, as virtiofsd has it:
 * - `auto`: for a second, and a file's content until it is opened again
 * - `always`: until it is told otherwise; only where nobody else changes the directory
 * - `never`
 * - `metadata`: names and attributes as `always`, content `never`; not with QEMU's old virtiofsd
 */
export type FsCache = "auto" | "always" | "never" | "metadata";

/**
 * What virtiofsd itself is locked up in:
 * - `namespace`: namespaces of its own, with the directory as its root
 * - `chroot`: the directory is its root; for containers that may make no namespaces
 * - `none`: it can do what its user can; not with QEMU's old virtiofsd
 */
export type FsSandbox = "namespace" | "chroot" | "none";

/** All ways in which a guest may cache a share. */
export const fsCaches: readonly FsCache[] = ["auto", "always", "never", "metadata"];
/** All ways in which virtiofsd can be confined. */
export const fsSandboxes: readonly FsSandbox[] = ["namespace", "chroot", "none"];

interface CommonRequest {
  /** `[A-Za-z0-9][A-Za-z0-9_-]{0,35}`, unique in the VM: what the guest mounts it by. */
  readonly tag: string;
  /** Queues for requests. Default 1; the virtiofsd that serves them must have as many. */
  readonly numQueues?: number | undefined;
  /** Entries of each queue, a power of two up to 1024. Default 1024. */
  readonly queueSize?: number | undefined;
}

/** A directory that silk has a virtiofsd of its own serve. */
export interface FsDirectoryRequest extends CommonRequest {
  /** Absolute path of the directory. */
  readonly dir: string;
  readonly socket?: undefined;
  /** The guest cannot change it. Default false. */
  readonly readonly?: boolean | undefined;
  /** Default `auto`. */
  readonly cache?: FsCache | undefined;
  /** Default `namespace`; without root, `none` where this host lets no user make namespaces. */
  readonly sandbox?: FsSandbox | undefined;
}

/** A directory that a virtiofsd of the user's own serves. */
export interface FsSocketRequest extends CommonRequest {
  /** Absolute path of its socket, at most 107 bytes. */
  readonly socket: string;
  readonly dir?: undefined;
}

/** A shared directory to add to a running VM. */
export type FsRequest = FsDirectoryRequest | FsSocketRequest;

interface CommonData extends Readonly<Record<string, unknown>> {
  readonly tag: string;
  /** The socket that the VMM connects to. */
  readonly socket: string;
  readonly numQueues: number;
  readonly queueSize: number;
}

/** What a record holds of a directory that silk's own virtiofsd serves. */
export interface ServedFsData extends CommonData {
  /** Its path, with every symlink resolved. */
  readonly dir: string;
  readonly readonly: boolean;
  readonly cache: FsCache;
  /** Left out where silk chooses. */
  readonly sandbox?: FsSandbox | undefined;
}

/** What a record holds of a directory that a virtiofsd of the user's serves. */
export interface ForeignFsData extends CommonData {
  readonly dir?: undefined;
  /** Whether the kernel shows that one under the socket's name: not where it was bound by another name, or in another network namespace. */
  readonly isVisible: boolean;
}

/** What a record holds of a shared directory. */
export type FsData = ServedFsData | ForeignFsData;

/** Backends that can share directories of the host with a running VM. */
export const virtiofs: CapabilityToken<HotPlug<FsData>> = defineCapability(
  "virtiofs",
  "share directories with a running VM",
);

/** The id of a shared directory in its VMM, by its tag. */
export function fsDeviceId(tag: string): string {
  return `silk-fs-${tag}`;
}
