import type { BlobReference, CallOptions, Host, Logger } from "@silkvm/core";
import type { ImageGarbage, KeptBlob } from "./gc.ts";
import type { HttpSettings } from "./http/http.ts";
import type { KernelPlaces } from "./kit/host-kernels.ts";
import type { KernelRecord } from "./kit/kernel-record.ts";
import type { LayerLimits } from "./layers/layer-limits.ts";
import type { ImageProgress } from "./progress.ts";
import type { ImageRecord } from "./store/image-record.ts";

/** What {@link openImages} is made of. */
export interface ImagesOptions {
  readonly host: Host;
  /** Images are in `images` below it. */
  readonly rootDir: string;
  /** Who needs blobs apart from images. Default: nobody, which is right only where there are no VMs. */
  readonly references?: (() => Promise<readonly BlobReference[]>) | undefined;
  readonly logger?: Logger | undefined;
  readonly http?: Partial<HttpSettings> | undefined;
  readonly limits?: Partial<LayerLimits> | undefined;
  /** Where this machine's kernels are, for images that have none. Default `/boot` and `/lib/modules`. */
  readonly kernels?: Partial<KernelPlaces> | undefined;
  /** Where logins of registries are found. Default: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Options of {@link Images.pull}. */
export interface PullOptions extends CallOptions {
  readonly onProgress?: ((progress: ImageProgress) => void) | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
  /** `always` asks whether there is a newer one; `missing` takes what is here. Default `always`. */
  readonly policy?: "always" | "missing" | undefined;
  /** Whether a registry, or a server, of another machine may be asked without encryption. */
  readonly plainHttp?: boolean | undefined;
  /** The name to give to it. Default: the one that it is pulled by. */
  readonly name?: string | undefined;
  /** `sha256:…` of a cloud image, where it is known from elsewhere. */
  readonly checksum?: string | undefined;
}

/** Options of {@link Images.import}. */
export interface ImportOptions extends CallOptions {
  /** The name to give to it. Default: the one that it has in the archive. */
  readonly name?: string | undefined;
  /** Which image of an archive of several. */
  readonly select?: string | undefined;
  readonly checksum?: string | undefined;
  readonly onProgress?: ((progress: ImageProgress) => void) | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** What a pull brought. */
export interface PullResult {
  readonly image: ImageRecord;
  /** Whether it is another one than was here by that name. */
  readonly changed: boolean;
}

/** A file of an image. */
export interface BlobSize {
  readonly blobId: string;
  /** Room that it takes on the disk. */
  readonly sizeBytes: number;
}

/** An image of which names were taken away. */
export interface RemoveResult {
  readonly image: ImageRecord;
  /** The names that were taken away. */
  readonly refs: readonly string[];
  /** What was removed with it, because nothing else needs it. */
  readonly freed: readonly ImageGarbage[];
  /** Blobs that stay for something else. */
  readonly kept: readonly KeptBlob[];
}

/** A kernel that was removed. */
export interface RemoveKernelResult {
  readonly kernel: KernelRecord;
  /** What was removed with it, because nothing else needs it. */
  readonly freed: readonly ImageGarbage[];
  /** Blobs that stay for something else. */
  readonly kept: readonly { readonly blobId: string; readonly by: readonly string[] }[];
}

/** Which kernel plain container images are to be booted with. */
export interface KitOptions extends CallOptions {
  /** Name of a kernel that was imported, or the version of one of this machine. Default: the one that was imported last, else the newest of this machine that can. */
  readonly kernel?: string | undefined;
}
