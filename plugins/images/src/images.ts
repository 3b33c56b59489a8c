import { isAbsolute, join, resolve as resolvePath } from "node:path";
import type { Readable } from "node:stream";
import {
  type BlobReference,
  type CallOptions,
  type Host,
  type HostLock,
  SilkError,
  silentLogger,
  toSilkError,
  type VmImage,
} from "@silkvm/core";
import { importDisk, pullDisk, type DiskContext } from "./cloudimg/pull-disk.ts";
import { imageInvalid } from "./errors.ts";
import { refuseFileName } from "./file-name.ts";
import { spool } from "./files/spool.ts";
import { collectGarbage, type GarbagePlan, type ImageGarbage, planGarbage } from "./gc.ts";
import { Http } from "./http/http.ts";
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
import { findBusybox, readBusybox } from "./kit/busybox.ts";
import { defaultPlaces } from "./kit/host-kernels.ts";
import type { ImportKernelOptions } from "./kit/import-kernel.ts";
import type { BootKit, KernelInfo, KernelRecord } from "./kit/kernel-record.ts";
import { findKernel, Kernels } from "./kit/kernels.ts";
import { defaultLimits, type LayerLimits } from "./layers/flatten.ts";
import type { ImageContents } from "./oci/contents.ts";
import { convertLayers } from "./oci/convert-layers.ts";
import { makeRecord } from "./oci/make-record.ts";
import { checkChecksum, hideSecrets, isKnownName, isUrl, urlName } from "./names.ts";
import { ociArchitecture } from "./oci/manifest.ts";
import { openSource } from "./oci/open-source.ts";
import type { ImageProgress } from "./progress.ts";
import { familiarName, parseReference } from "./reference.ts";
import { openRegistryImage } from "./registry/registry-contents.ts";
import { findImage } from "./store/find-image.ts";
import { Blobs } from "./store/blobs.ts";
import type { ImageRecord } from "./store/image-record.ts";
import { type ImageStore, openImageStore, openImageStoreReadOnly } from "./store/image-store.ts";
import { blobIdPattern, imagePaths } from "./store/paths.ts";
import { vmImage } from "./vm-image.ts";

/** The largest file that is downloaded, where its size is not known before. */
const downloadBytes = 1024 ** 4;

/** The images of a root directory. */
export class Images implements AsyncDisposable {
  readonly #host: Host;
  readonly #options: ImagesOptions;
  readonly #blobs: Blobs;
  readonly #http: Http;
  readonly #limits: LayerLimits;
  readonly #architecture: string;
  readonly #kernels: Kernels;
  #store: ImageStore | undefined;

  constructor(options: ImagesOptions) {
    if (!isAbsolute(options.rootDir))
      throw new TypeError(`not an absolute path: ${options.rootDir}`);
    this.#options = options;
    this.#host = options.host;
    this.#blobs = new Blobs(options.host, imagePaths(options.rootDir));
    this.#http = new Http(options.host, options.http);
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#architecture = ociArchitecture(options.host.facts.arch);
    this.#kernels = new Kernels(options.host, this.#blobs, this.#architecture, {
      ...defaultPlaces,
      ...options.kernels,
    });
  }

  /**
   * Gets an image from its registry, or a cloud image by its `http(s)` URL.
   * @throws SilkError `INVALID_IMAGE_NAME`, `FILE_NOT_FOUND` and `IMAGE_NOT_IMPORTED` (a file's name), `IMAGE_NOT_FOUND`, `REGISTRY_DENIED`, `ARCHITECTURE_MISSING`, `NOT_AN_IMAGE`, `DIGEST_MISMATCH`, `SERVER_UNREACHABLE`, `DISK_FULL`, …
   */
  async pull(name: string, options: PullOptions = {}): Promise<PullResult> {
    checkChecksum(options.checksum);
    return await this.#doing(`cannot pull ${hideSecrets(name)}`, options, async () =>
      isUrl(name) ? await this.#pullDisk(name, options) : await this.#pullOci(name, options),
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
      this.#import(source, what, options),
    );
  }

  /** All images, by name. Writes nothing. */
  list(): readonly ImageRecord[] {
    return this.#read((store) => store?.list() ?? []);
  }

  /**
   * The image that a name, a digest or the beginning of one means. Writes nothing.
   * @throws SilkError `IMAGE_NOT_FOUND`, `IMAGE_AMBIGUOUS`
   */
  inspect(name: string): ImageRecord {
    return this.#read((store) => findImage(store, name));
  }

  /**
   * Takes the names of images away, and removes what nothing else needs then. VMs and snapshots keep what they need.
   * A digest takes every name of that image away.
   * @throws SilkError `IMAGE_NOT_FOUND`
   */
  async remove(name: string, options: CallOptions = {}): Promise<RemoveResult> {
    return await this.#doing(`cannot remove ${name}`, options, async () => {
      const store = await this.#writable();
      const image = findImage(store, name);
      const isByDigest = !isKnownName(name, image);
      const refs = isByDigest
        ? store.findByDigest(image.digest).map(({ ref }) => ref)
        : [image.ref];
      store.remove(refs);
      return { image, refs, ...(await this.#free(store, image.blobIds, options)) };
    });
  }

  /**
   * Takes a kernel for images that have none: a bzImage or an uncompressed vmlinux with its modules, or Debian's package of one, which has both. It is
   * copied, and is the default from then on.
   * @throws SilkError `FILE_NOT_FOUND`, `KERNEL_INVALID`, `KERNEL_LACKS`, `MODULES_INVALID`, `ARCHITECTURE_MISSING`, `INVALID_KERNEL_NAME`, `BUSYBOX_MISSING`, `DISK_FULL`
   */
  async importKernel(source: string, options: ImportKernelOptions = {}): Promise<KernelRecord> {
    return await this.#doing(`cannot import the kernel ${source}`, options, async () => {
      await using _use = await this.#blobs.use(options);
      return await this.#kernels.import(await this.#writable(), resolvePath(source), options);
    });
  }

  /** The kernels that VMs of container images can boot: those that were imported, and those of this machine, with what stands in their way. Writes nothing. */
  async listKernels(options: CallOptions = {}): Promise<readonly KernelInfo[]> {
    return await this.#doing("cannot list the kernels", options, async () => {
      const store = this.#open();
      try {
        return await this.#kernels.list(store, options);
      } finally {
        if (store !== this.#store) store?.[Symbol.dispose]();
      }
    });
  }

  /**
   * The busybox of this machine that the VMs of container images begin with, where their kernel was not imported with one: its path. Writes nothing.
   * @throws SilkError `BUSYBOX_MISSING`, `ARCHITECTURE_MISSING`
   */
  async findBusybox(options: CallOptions = {}): Promise<string> {
    return await this.#doing("cannot find a busybox", options, async () => {
      const path = await findBusybox(this.#host);
      await readBusybox(this.#host, path, this.#architecture);
      return path;
    });
  }

  /**
   * Removes a kernel that was imported. VMs that boot it keep it.
   * @throws SilkError `KERNEL_NOT_FOUND`
   */
  async removeKernel(name: string, options: CallOptions = {}): Promise<RemoveKernelResult> {
    return await this.#doing(`cannot remove the kernel ${name}`, options, async () => {
      const store = await this.#writable();
      const kernel = findKernel(store, name);
      store.removeKernel(name);
      return { kernel, ...(await this.#free(store, kernel.blobIds, options)) };
    });
  }

  /**
   * What a VM of a container image boots with: a kernel, and an initramfs for it, which is made where it is not here yet. Nothing keeps them but a lease that is
   * held, so hold one from before this until `blobIds` are written down.
   * @throws SilkError `KERNEL_MISSING`, `KERNEL_UNREADABLE`, `KERNEL_LACKS`, `KERNEL_NOT_FOUND`, `BUSYBOX_MISSING`, `DISK_FULL`
   */
  async kit(options: KitOptions = {}): Promise<BootKit> {
    return await this.#doing("cannot make what a container image boots with", options, async () => {
      await using _use = await this.#blobs.use(options);
      return await this.#kernels.kit(await this.#writable(), options);
    });
  }

  /** Gives an image one more name. */
  async tag(name: string, newName: string, options: CallOptions = {}): Promise<ImageRecord> {
    const ref = parseReference(newName).name;
    return await this.#doing(`cannot tag ${name}`, options, async () => {
      await using _use = await this.#blobs.use(options);
      const store = await this.#writable();
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
      const lease = await this.#blobs.use(options);
      try {
        const record = this.inspect(name);
        for (const id of record.blobIds)
          if (!(await this.#blobs.has(id)))
            throw new SilkError(`a part of the image ${familiarName(record.ref)} is gone`, {
              code: "BLOB_MISSING",
              kind: "failed",
              hint: `Pull it again: silk image pull ${familiarName(record.ref)}`,
              details: { blobId: id },
            });
        return { image: vmImage(record, this.#blobs), record, lease };
      } catch (error) {
        await lease.release();
        throw error;
      }
    });
  }

  /** The files of images that are here, with the room that each takes. Looks at the disk alone, and writes nothing. */
  async blobs(): Promise<readonly BlobSize[]> {
    const { files } = this.#host;
    const names = await files.list(this.#blobs.paths.blobsDir);
    return await Promise.all(
      names
        .filter((name) => blobIdPattern.test(name))
        .map(async (blobId) => {
          const stat = await files.stat(this.#blobs.path(blobId));
          return { blobId, sizeBytes: stat?.allocatedBytes ?? 0 };
        }),
    );
  }

  /** Where a blob is, by its id, which may be anything; undefined where there is none. */
  async blobPath(blobId: string): Promise<string | undefined> {
    if (!blobIdPattern.test(blobId) || !(await this.#blobs.has(blobId))) return undefined;
    return this.#blobs.path(blobId);
  }

  /** What gc would remove, and what stays for whom. Writes nothing. */
  async planGarbage(): Promise<GarbagePlan> {
    const store = this.#open();
    try {
      return await planGarbage(this.#host, this.#blobs, store, await this.#references());
    } finally {
      if (store !== this.#store) store?.[Symbol.dispose]();
    }
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
      // Where there are no images there is nothing to collect, and nothing to make.
      if ((await this.#host.files.stat(this.#blobs.paths.directory)) === undefined) return [];
      const store = await this.#writable();
      return await collectGarbage(
        this.#host,
        this.#blobs,
        store,
        () => this.#references(),
        options,
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#store?.[Symbol.dispose]();
    this.#store = undefined;
    await this.#http[Symbol.asyncDispose]();
  }

  async #pullOci(name: string, options: PullOptions): Promise<PullResult> {
    await refuseFileName(this.#host, name);
    const reference = parseReference(name);
    const ref = options.name === undefined ? reference.name : parseReference(options.name).name;
    await using _use = await this.#blobs.use(options);
    const store = await this.#writable();
    const known = store.find(ref);
    const isPinned = reference.digest !== undefined || options.policy === "missing";
    if (known !== undefined && isPinned && (await this.#isWhole(known)))
      return { image: known, changed: false };
    options.onProgress?.({ phase: "resolving", item: familiarName(reference.name) });
    await using contents = await openRegistryImage(this.#host, this.#http, this.#blobs, reference, {
      architecture: this.#architecture,
      signal: options.signal,
      plainHttp: options.plainHttp,
      environment: this.#options.environment,
    });
    return await this.#take(contents, ref, reference.name, options);
  }

  /** Makes an image's layers blobs, and writes down that it is here. */
  async #take(
    contents: ImageContents,
    ref: string,
    source: string,
    options: CallOptions & {
      readonly onProgress?: ((progress: ImageProgress) => void) | undefined;
    },
  ): Promise<PullResult> {
    const store = await this.#writable();
    const known = store.find(ref);
    if (known?.digest === contents.digest && (await this.#isWhole(known)))
      return { image: known, changed: false };
    const converted = await convertLayers(
      {
        host: this.#host,
        blobs: this.#blobs,
        store,
        limits: this.#limits,
        signal: options.signal,
        onProgress: (progress) => options.onProgress?.(progress),
      },
      contents,
    );
    const record = await makeRecord(this.#host, this.#blobs, contents, converted, {
      ref,
      source,
      architecture: this.#architecture,
    });
    options.signal?.throwIfAborted();
    store.put(record);
    options.onProgress?.({ phase: "done", item: familiarName(ref) });
    return { image: record, changed: true };
  }

  async #pullDisk(url: string, options: PullOptions): Promise<PullResult> {
    const ref = options.name === undefined ? urlName(url) : parseReference(options.name).name;
    await using _use = await this.#blobs.use(options);
    const store = await this.#writable();
    const known = store.find(ref);
    if (known !== undefined && options.policy === "missing" && (await this.#isWhole(known)))
      return { image: known, changed: false };
    const record = await pullDisk(this.#diskContext(options), {
      url,
      ref,
      digest: options.checksum,
      known,
      plainHttp: options.plainHttp === true,
    });
    if (record === undefined && known !== undefined) return { image: known, changed: false };
    if (record === undefined) throw imageInvalid(`${hideSecrets(url)} did not arrive`);
    return this.#put(store, record, options);
  }

  async #import(
    source: string | Readable,
    what: string,
    options: ImportOptions,
  ): Promise<PullResult> {
    await using _use = await this.#blobs.use(options);
    await using work = await this.#blobs.work(options);
    const path =
      typeof source === "string"
        ? resolvePath(source)
        : await spool(this.#host, source, join(work.path, "input"), options);
    const opened = await openSource(this.#host, path, {
      what,
      select: options.select,
      architecture: this.#architecture,
      directory: work.path,
      mostBytes: this.#limits.unpackedBytes,
      signal: options.signal,
    });
    const [own] = opened === "disk" ? [] : opened.names.filter((name) => /[:/]/.test(name));
    const name = options.name ?? own;
    if (name === undefined)
      throw new SilkError(`${what} does not tell its name`, {
        code: "NAME_MISSING",
        kind: "invalid",
        hint: "Give it one: --name NAME",
      });
    const ref = parseReference(name).name;
    if (opened !== "disk") {
      await using contents = opened;
      return await this.#take(contents, ref, what, options);
    }
    const store = await this.#writable();
    const context = this.#diskContext(options);
    const record = await importDisk(context, { path, ref, source: what, digest: options.checksum });
    return this.#put(store, record, options);
  }

  #put(
    store: ImageStore,
    record: ImageRecord,
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly onProgress?: ((progress: ImageProgress) => void) | undefined;
    },
  ): PullResult {
    options.signal?.throwIfAborted();
    const before = store.find(record.ref);
    store.put(record);
    options.onProgress?.({ phase: "done", item: familiarName(record.ref) });
    return { image: record, changed: before?.digest !== record.digest };
  }

  #diskContext(options: ImportOptions): DiskContext {
    const logger = this.#options.logger ?? silentLogger;
    return {
      host: this.#host,
      http: this.#http,
      blobs: this.#blobs,
      unpackedBytes: this.#limits.unpackedBytes,
      downloadBytes,
      architecture: this.#architecture,
      signal: options.signal,
      onProgress: (progress) => options.onProgress?.(progress),
      warn: options.onWarning ?? ((message) => logger.warn(message)),
    };
  }

  /** Removes those of some blobs that nothing needs. */
  async #free(
    store: ImageStore,
    blobIds: readonly string[],
    options: CallOptions,
  ): Promise<Pick<RemoveResult, "freed" | "kept">> {
    const only = new Set(blobIds);
    // Whoever pulls just now may be about to need it: gc removes it later.
    const freed = await collectGarbage(this.#host, this.#blobs, store, () => this.#references(), {
      ...options,
      waitMs: 0,
      only,
    }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === "IMAGES_BUSY") return [];
      throw error;
    });
    const { kept } = await planGarbage(this.#host, this.#blobs, store, await this.#references());
    return { freed, kept: kept.filter(({ blobId }) => only.has(blobId)) };
  }

  async #isWhole(record: ImageRecord): Promise<boolean> {
    for (const id of record.blobIds) if (!(await this.#blobs.has(id))) return false;
    return true;
  }

  async #references(): Promise<readonly BlobReference[]> {
    return (await this.#options.references?.()) ?? [];
  }

  async #writable(): Promise<ImageStore> {
    await this.#blobs.prepare();
    this.#store ??= openImageStore(this.#host, this.#blobs.paths.databasePath);
    return this.#store;
  }

  #open(): ImageStore | undefined {
    return this.#store ?? openImageStoreReadOnly(this.#host, this.#blobs.paths.databasePath);
  }

  #read<T>(run: (store: ImageStore | undefined) => T): T {
    const store = this.#open();
    try {
      return run(store);
    } finally {
      if (store !== this.#store) store?.[Symbol.dispose]();
    }
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
