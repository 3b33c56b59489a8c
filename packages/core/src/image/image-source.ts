import type { Host } from "../host.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { Logger } from "../logger.ts";
import type { VmRecord } from "../vm/record.ts";
import type { GuestConfig, GuestExit, RunSpec, VmImage } from "./vm-image.ts";

/** Somebody who needs a blob of an image: a VM, a snapshot. */
export interface BlobReference {
  readonly blobId: string;
  /** For people: `the VM web`. */
  readonly by: string;
  /** What that was made of, where it was made of an image: `sha256:…`. */
  readonly imageDigest?: string | undefined;
}

/** What an image source is opened with, once for an engine. */
export interface ImageSourceContext {
  readonly host: Host;
  readonly logger: Logger;
  /** The engine's. A source keeps what it has in a directory of its own below it. */
  readonly rootDir: string;
  /** Which blobs VMs and snapshots need now. */
  readonly references: () => Promise<readonly BlobReference[]>;
}

/** How an image is got, and held for a VM that is about to be made. */
export interface LeaseRequest {
  /**
   * - `missing`: get the image from where it is published if it is not here
   * - `always`: ask whether there is a newer one
   * - `never`: only take what is here
   */
  readonly pull: "missing" | "always" | "never";
  /** How a container's image is to be run otherwise than its maker has set it. */
  readonly run?: RunSpec | undefined;
  /** Whether the image's own kernel is of use: not where the user brings one. */
  readonly needsKernel: boolean;
  /** Which of the source's kernels a container's image is to boot with, by its name. Default: the source's choice. */
  readonly kernel?: string | undefined;
}

/** An image that a VM is being made of: nothing of it is removed before the lease ends. */
export interface ImageLease extends AsyncDisposable {
  readonly image: VmImage;
}

/** What a seed is written for. */
export interface SeedContext extends OperationContext {
  /** Whether somebody is about to attach to the guest's console, for whom a container's program waits before it begins. */
  readonly attach: boolean;
}

/** What nothing needs any more. */
export interface ImageGarbage {
  /** Its path. */
  readonly name: string;
  readonly why: string;
  /** Room that it takes. */
  readonly sizeBytes: number;
}

/** Where VMs get images from, as a plugin brings it. */
export interface ImageSource extends AsyncDisposable {
  /**
   * Checks what a guest is to be told, before anything is fetched or made for it. Default: it is checked as the seed is written.
   * @throws SilkError `INVALID_SSH_KEY`, `INVALID_USER`, `INVALID_USER_DATA`
   */
  checkGuest?(guest: GuestConfig): void;
  /**
   * What a VM of an image is made of. Held until whoever makes the VM has written down which blobs it needs.
   * @param name as a person types it
   * @throws SilkError `IMAGE_NOT_FOUND`, and what getting it may meet
   */
  lease(name: string, request: LeaseRequest, context: OperationContext): Promise<ImageLease>;
  /**
   * Makes the disk by which a guest learns who it is, or what it is to run: the VM's disk with the role `cidata`, from its config, NICs and disks. One
   * that is there is replaced, whole or not at all. It is made with the VM, and anew at each start at which the guest sees it; how the program of a
   * container has ended at the last run is forgotten then.
   */
  writeSeed(vm: VmRecord, context: SeedContext): Promise<void>;
  /**
   * Where a blob is on this host, by its id among a VM's `imageBlobIds`: a snapshot that comes from elsewhere names paths of there. Undefined where there is none here.
   * The id may be anything.
   */
  blobPath?(blobId: string): Promise<string | undefined>;
  /** How the program of a container's VM that does not run any more has ended; undefined where it did not, or nobody knows. Default: nobody knows. */
  readExit?(vm: VmRecord, context: OperationContext): Promise<GuestExit | undefined>;
  /** What nothing needs: no image, no VM, no snapshot. Removes it, or with `dryRun` only tells of it. */
  collectGarbage(
    options: { readonly dryRun: boolean },
    context: OperationContext,
  ): Promise<readonly ImageGarbage[]>;
}

/** An image source as its plugin hands it over: opened by an engine when an image of it is first met. */
export interface ImageSourceDefinition {
  /** `[a-z][a-z0-9-]*` */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /**
   * Images whose names begin with this and `://` are this source's: `acme` for `acme://web`. Left out by the one source whose names have no
   * scheme that another source has.
   */
  readonly scheme?: string | undefined;
  open(context: ImageSourceContext): Promise<ImageSource>;
}
