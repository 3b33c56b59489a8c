import { isAbsolute, resolve as resolvePath } from "node:path";
import type { Readable } from "node:stream";
import {
  type CallOptions,
  type HostLock,
  SilkError,
  silentLogger,
  toSilkError,
  type VmImage,
} from "@silkvm/core";
import { collectGarbage, type GarbagePlan, type ImageGarbage, planGarbage } from "./gc.ts";
import { Http } from "./http/http.ts";
import type { ImagesContext } from "./images-context.ts";
import type {
  BlobSize,
  ImagesOptions,
  ImportOptions,
  KitOptions,
  PullOptions,
  PullResult,
  RemoveKernelResult,
  RemoveResult,
} from "./images-options.ts";
import { importImage } from "./import-image.ts";
import { findBusybox, readBusybox } from "./kit/busybox.ts";
import { defaultPlaces } from "./kit/host-kernels.ts";
import type { ImportKernelOptions } from "./kit/import-kernel.ts";
import type { BootKit, KernelInfo, KernelRecord } from "./kit/kernel-record.ts";
import { Kernels } from "./kit/kernels.ts";
import { defaultLimits } from "./layers/layer-limits.ts";
import { checkChecksum, hideSecrets } from "./names.ts";
import { ociArchitecture } from "./oci/manifest.ts";
import { pullImage } from "./pull-image.ts";
import { familiarName, parseReference } from "./reference.ts";
import { removeImage, removeKernel } from "./remove-image.ts";
import { Blobs } from "./store/blobs.ts";
import { findImage } from "./store/find-image.ts";
import type { ImageRecord } from "./store/image-record.ts";
import { blobIdPattern, imagePaths } from "./store/paths.ts";
import { StoreAccess } from "./store/store-access.ts";
import { vmImage } from "./vm-image.ts";

/** The images of a root directory. */
export class Images implements AsyncDisposable {
  readonly #context: ImagesContext;
  readonly #kernels: Kernels;

  constructor(options: ImagesOptions) {
    const { host, rootDir } = options;
    if (!isAbsolute(rootDir)) throw new TypeError(`not an absolute path: ${rootDir}`);
    const blobs = new Blobs(host, imagePaths(rootDir));
    const architecture = ociArchitecture(host.facts.arch);
    this.#context = {
      host,
      blobs,
      store: new StoreAccess(host, blobs),
      http: new Http(host, options.http),
      limits: { ...defaultLimits, ...options.limits },
      architecture,
      logger: options.logger ?? silentLogger,
      environment: options.environment,
      references: async () => (await options.references?.()) ?? [],
    };
    const places = { ...defaultPlaces, ...options.kernels };
    this.#kernels = new Kernels(host, blobs, architecture, places);
  }

  /**
   * Gets an image from its registry, or a cloud image by its `http(s)` URL.
   * @throws SilkError `INVALID_IMAGE_NAME`, `FILE_NOT_FOUND` and `IMAGE_NOT_IMPORTED` (a file's name), `IMAGE_NOT_FOUND`, `REGISTRY_DENIED`, `ARCHITECTURE_MISSING`, `NOT_AN_IMAGE`, `DIGEST_MISMATCH`, `SERVER_UNREACHABLE`, `DISK_FULL`, …
   */
  async pull(name: string, options: PullOptions = {}): Promise<PullResult> {
    checkChecksum(options.checksum);
    return await this.#doing(`cannot pull ${hideSecrets(name)}`, options, () =>
      pullImage(this.#context, name, options),
    );
  }

  /**
   * Takes an image from this machine: a directory with an OCI layout; a tar of one, of `docker save`, or of a root directory; a disk. What it is, is found out by
   * its content. The source is not changed.
   * @param source a path, or a stream such as standard input
   * @throws SilkError `FILE_NOT_FOUND`, `NOT_AN_IMAGE`, `IMAGE_AMBIGUOUS`, `NAME_MISSING`, …
   */
  async import(source: string | Readable, options: ImportOptions = {}): Promise<PullResult> {
    checkChecksum(options.checksum);
    const what = typeof source === "string" ? source : "the standard input";
    return await this.#doing(`cannot import ${what}`, options, () =>
      importImage(this.#context, source, what, options),
    );
  }

  /** All images, by name. Writes nothing. */
  list(): readonly ImageRecord[] {
    using look = this.#context.store.look();
    return look.store?.list() ?? [];
  }

  /**
   * The image that a name, a digest or the beginning of one means. Writes nothing.
   * @throws SilkError `IMAGE_NOT_FOUND`, `IMAGE_AMBIGUOUS`
   */
  inspect(name: string): ImageRecord {
    using look = this.#context.store.look();
    return findImage(look.store, name);
  }

  /**
   * Takes the names of images away, and removes what nothing else needs then. VMs and snapshots keep what they need.
   * A digest takes every name of that image away.
   * @throws SilkError `IMAGE_NOT_FOUND`
   */
  async remove(name: string, options: CallOptions = {}): Promise<RemoveResult> {
    return await this.#doing(`cannot remove ${name}`, options, () =>
      removeImage(this.#context, name, options),
    );
  }

  /**
   * Takes a kernel for images that have none: a bzImage or an uncompressed vmlinux with its modules, or Debian's package of one, which has both. It is
   * copied, and is the default from then on.
   * @throws SilkError `FILE_NOT_FOUND`, `KERNEL_INVALID`, `KERNEL_LACKS`, `MODULES_INVALID`, `ARCHITECTURE_MISSING`, `INVALID_KERNEL_NAME`, `BUSYBOX_MISSING`, `DISK_FULL`
   */
  async importKernel(source: string, options: ImportKernelOptions = {}): Promise<KernelRecord> {
    return await this.#doing(`cannot import the kernel ${source}`, options, async () => {
      const { blobs, store } = this.#context;
      await using _use = await blobs.use(options);
      return await this.#kernels.import(await store.writable(), resolvePath(source), options);
    });
  }

  /** The kernels that VMs of container images can boot: those that were imported, and those of this machine, with what stands in their way. Writes nothing. */
  async listKernels(options: CallOptions = {}): Promise<readonly KernelInfo[]> {
    return await this.#doing("cannot list the kernels", options, async () => {
      using look = this.#context.store.look();
      return await this.#kernels.list(look.store, options);
    });
  }

  /**
   * The busybox of this machine that the VMs of container images begin with, where their kernel was not imported with one: its path. Writes nothing.
   * @throws SilkError `BUSYBOX_MISSING`, `ARCHITECTURE_MISSING`
   */
  async findBusybox(options: CallOptions = {}): Promise<string> {
    return await this.#doing("cannot find a busybox", options, async () => {
      const { host, architecture } = this.#context;
      const path = await findBusybox(host);
      await readBusybox(host, path, architecture);
      return path;
    });
  }

  /**
   * Removes a kernel that was imported. VMs that boot it keep it.
   * @throws SilkError `KERNEL_NOT_FOUND`
   */
  async removeKernel(name: string, options: CallOptions = {}): Promise<RemoveKernelResult> {
    return await this.#doing(`cannot remove the kernel ${name}`, options, () =>
      removeKernel(this.#context, name, options),
    );
  }

  /**
   * What a VM of a container image boots with: a kernel, and an initramfs for it, which is made where it is not here yet. Nothing keeps them but a lease that is
   * held, so hold one from before this until `blobIds` are written down.
   * @throws SilkError `KERNEL_MISSING`, `KERNEL_UNREADABLE`, `KERNEL_LACKS`, `KERNEL_NOT_FOUND`, `BUSYBOX_MISSING`, `DISK_FULL`
   */
  async kit(options: KitOptions = {}): Promise<BootKit> {
    return await this.#doing("cannot make what a container image boots with", options, async () => {
      const { blobs, store } = this.#context;
      await using _use = await blobs.use(options);
      return await this.#kernels.kit(await store.writable(), options);
    });
  }

  /** Gives an image one more name. */
  async tag(name: string, newName: string, options: CallOptions = {}): Promise<ImageRecord> {
    const ref = parseReference(newName).name;
    return await this.#doing(`cannot tag ${name}`, options, async () => {
      await using _use = await this.#context.blobs.use(options);
      const store = await this.#context.store.writable();
      const record = { ...findImage(store, name), ref };
      store.put(record);
      return record;
    });
  }

  /**
   * What a VM of an image is made of. The lease keeps its blobs from being removed until whoever makes the VM has written down that it needs them.
   * @throws SilkError `IMAGE_NOT_FOUND`, `IMAGE_AMBIGUOUS`, `BLOB_MISSING`
   */
  async lease(
    name: string,
    options: CallOptions = {},
  ): Promise<{
    readonly image: VmImage;
    readonly record: ImageRecord;
    readonly lease: HostLock;
  }> {
    return await this.#doing(`cannot use ${name}`, options, async () => {
      const { blobs } = this.#context;
      const lease = await blobs.use(options);
      try {
        const record = this.inspect(name);
        for (const id of record.blobIds)
          if (!(await blobs.has(id)))
            throw new SilkError(`a part of the image ${familiarName(record.ref)} is gone`, {
              code: "BLOB_MISSING",
              kind: "failed",
              hint: `Pull it again: silk image pull ${familiarName(record.ref)}`,
              details: { blobId: id },
            });
        return { image: vmImage(record, blobs), record, lease };
      } catch (error) {
        await lease.release();
        throw error;
      }
    });
  }

  /** The files of images that are here, with the room that each takes. Looks at the disk alone, and writes nothing. */
  async blobs(): Promise<readonly BlobSize[]> {
    const { host, blobs } = this.#context;
    const names = await host.files.list(blobs.paths.blobsDir);
    return await Promise.all(
      names
        .filter((name) => blobIdPattern.test(name))
        .map(async (blobId) => {
          const stat = await host.files.stat(blobs.path(blobId));
          return { blobId, sizeBytes: stat?.allocatedBytes ?? 0 };
        }),
    );
  }

  /** Where a blob is, by its id, which may be anything; undefined where there is none. */
  async blobPath(blobId: string): Promise<string | undefined> {
    const { blobs } = this.#context;
    if (!blobIdPattern.test(blobId) || !(await blobs.has(blobId))) return undefined;
    return blobs.path(blobId);
  }

  /** What gc would remove, and what stays for whom. Writes nothing. */
  async planGarbage(): Promise<GarbagePlan> {
    const { host, blobs, store, references } = this.#context;
    using look = store.look();
    return await planGarbage(host, blobs, look.store, await references());
  }

  /**
   * Removes what no image, VM or snapshot needs, and what unfinished pulls have left.
   * @param options.waitMs how long to wait for pulls that are under way. Default: as long as they take
   * @throws SilkError `IMAGES_BUSY`
   */
  async collectGarbage(
    options: CallOptions & { readonly waitMs?: number | undefined } = {},
  ): Promise<readonly ImageGarbage[]> {
    return await this.#doing("cannot collect the garbage of images", options, async () => {
      const { host, blobs, store, references } = this.#context;
      // Where there are no images there is nothing to collect, and nothing to make.
      if ((await host.files.stat(blobs.paths.directory)) === undefined) return [];
      return await collectGarbage(host, blobs, await store.writable(), references, options);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#context.store[Symbol.dispose]();
    await this.#context.http[Symbol.asyncDispose]();
  }

  async #doing<T>(doing: string, { signal }: CallOptions, run: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await run();
    } catch (error) {
      if (signal?.aborted === true) throw toSilkError(signal.reason, doing);
      throw toSilkError(error, doing);
    }
  }
}

/** Opens the images of a root directory. Nothing is made before something is written. */
export function openImages(options: ImagesOptions): Images {
  return new Images(options);
}
