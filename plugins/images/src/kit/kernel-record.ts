/** A kernel that was imported. */
export interface KernelRecord {
  readonly name: string;
  /** Such as `6.1.0-56-cloud-amd64`. */
  readonly version: string;
  /** As OCI names it. */
  readonly architecture: string;
  /** ISO 8601. */
  readonly importedAt: string;
  /** The path that it came from. */
  readonly source: string;
  readonly kernelBlobId: string;
  /** Its modules, as a part of an initramfs. */
  readonly modulesBlobId?: string | undefined;
  readonly busyboxBlobId?: string | undefined;
  /** Names of its modules, in the order in which they are loaded. */
  readonly modules: readonly string[];
  /** Room that it takes. */
  readonly sizeBytes: number;
  /** Every file that it needs. */
  readonly blobIds: readonly string[];
}

/** A kernel that VMs of container images can boot, or might. */
export interface KernelInfo {
  /** What `kit({ kernel })` knows it by. */
  readonly name: string;
  readonly version: string;
  readonly origin: "imported" | "host";
  /** Of a kernel of the host. */
  readonly path?: string | undefined;
  /** The one that is taken where none is named. */
  readonly isDefault: boolean;
  /** Why it cannot be used; undefined where it can. */
  readonly problem?: { readonly code: string; readonly message: string } | undefined;
  readonly record?: KernelRecord | undefined;
}

/** What a VM of a container image boots with. */
export interface BootKit {
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** For `VmRecord.imageBlobIds`, beside those of the image. */
  readonly blobIds: readonly string[];
  readonly kernelVersion: string;
  readonly kernelName: string;
}
