import { join } from "node:path";
import { type CallOptions, type Host, isSilkError, SilkError } from "@silkvm/core";
import { digestOf } from "../digest.ts";
import type { Blobs } from "../store/blobs.ts";
import type { ImageStore } from "../store/image-store.ts";
import { findBusybox, readBusybox } from "./busybox.ts";
import { kernelMissing, kernelNotFound, kernelUnreadable } from "./errors.ts";
import {
  findHostConfig,
  findHostKernels,
  type HostKernel,
  type KernelPlaces,
} from "./host-kernels.ts";
import { type ImportKernelOptions, openKernel } from "./import-kernel.ts";
import { makeInitramfs, readScripts } from "./initramfs.ts";
import { type Content, contentOf, publishContents } from "./kit-blobs.ts";
import type { BootKit, KernelInfo, KernelRecord } from "./kernel-record.ts";
import { findModules, readWhole } from "./module-files.ts";
import { checkKernel, type KernelQuestion, prepareKernel } from "./prepare-kernel.ts";

/** Changes with the form of what a kit is made of. */
const kitForm = "silk boot kit 1";

/** A kernel, and the part of an initramfs with its modules. */
interface Chosen {
  readonly name: string;
  readonly version: string;
  readonly kernel: Content;
  readonly modules: Buffer | undefined;
  readonly busybox: Buffer | undefined;
}

/** The kernels of a root directory and of its machine, and what VMs of container images boot with. Its callers hold the blobs. */
export class Kernels {
  readonly #host: Host;
  readonly #blobs: Blobs;
  readonly #architecture: string;
  readonly #places: KernelPlaces;

  constructor(host: Host, blobs: Blobs, architecture: string, places: KernelPlaces) {
    this.#host = host;
    this.#blobs = blobs;
    this.#architecture = architecture;
    this.#places = places;
  }

  async import(
    store: ImageStore,
    source: string,
    options: ImportKernelOptions,
  ): Promise<KernelRecord> {
    if (options.name !== undefined && !/^[\w][\w.+~-]{0,99}$/.test(options.name))
      throw new SilkError(`${JSON.stringify(options.name)} is no name for a kernel`, {
        code: "INVALID_KERNEL_NAME",
        kind: "invalid",
        hint: "Use letters, digits, dots, dashes and underscores.",
      });
    await using work = await this.#blobs.work(options);
    const architecture = this.#architecture;
    const prepared = await openKernel(this.#host, source, {
      ...options,
      architecture,
      directory: work.path,
    });
    const busybox =
      options.busybox === undefined
        ? undefined
        : await readBusybox(this.#host, options.busybox, architecture);
    const kernel = contentOf(prepared.bytes, "kernel");
    const modules = prepared.modules && contentOf(prepared.modules, "modules");
    const brought = busybox && contentOf(busybox, "busybox");
    const contents = [kernel, modules, brought].filter((one) => one !== undefined);
    await publishContents(this.#host, this.#blobs, work, contents);
    options.signal?.throwIfAborted();
    const record: KernelRecord = {
      name: options.name ?? prepared.image.version,
      version: prepared.image.version,
      architecture,
      importedAt: new Date(this.#host.clock.now()).toISOString(),
      source,
      kernelBlobId: kernel.id,
      ...(modules === undefined ? {} : { modulesBlobId: modules.id }),
      ...(brought === undefined ? {} : { busyboxBlobId: brought.id }),
      modules: prepared.moduleNames,
      sizeBytes: contents.reduce((sum, { bytes }) => sum + bytes.length, 0),
      blobIds: contents.map(({ id }) => id),
    };
    store.putKernel(record);
    return record;
  }

  /** All kernels: those that were imported, the last one first, then those of the machine, the newest first. Writes nothing. */
  async list(store: ImageStore | undefined, options: CallOptions): Promise<readonly KernelInfo[]> {
    const imported = (store?.listKernels() ?? []).map((record): Omit<KernelInfo, "isDefault"> => ({
      name: record.name,
      version: record.version,
      origin: "imported",
      record,
    }));
    const hosts: Omit<KernelInfo, "isDefault">[] = [];
    for (const kernel of await findHostKernels(this.#host, this.#places)) {
      const { code, message } = (await this.#problemOf(kernel, options)) ?? {};
      hosts.push({
        name: kernel.version,
        version: kernel.version,
        origin: "host",
        path: kernel.path,
        ...(code === undefined || message === undefined ? {} : { problem: { code, message } }),
      });
    }
    const all = [...imported, ...hosts];
    const first = all.find(({ problem }) => problem === undefined);
    return all.map((info) => ({ ...info, isDefault: info === first }));
  }

  /** @param name of one that was imported, or the version of one of this machine. Default: the one imported last, else the machine's newest that can */
  async kit(
    store: ImageStore | undefined,
    { kernel: name, signal }: CallOptions & { readonly kernel?: string | undefined },
  ): Promise<BootKit> {
    await using work = await this.#blobs.work({ signal });
    const chosen = await this.#choose(store, name, work.path, signal);
    const busybox =
      chosen.busybox ??
      (await readBusybox(this.#host, await findBusybox(this.#host), this.#architecture));
    const scripts = await readScripts(this.#host);
    const parts = [busybox, chosen.modules ?? Buffer.alloc(0), ...scripts.values()];
    const key = [kitForm, ...scripts.keys(), ...parts.map((part) => digestOf(Buffer.from(part)))];
    const initrdId = `${digestOf(Buffer.from(JSON.stringify(key))).slice("sha256:".length)}.initrd`;
    const initrd = (await this.#blobs.has(initrdId))
      ? undefined
      : makeInitramfs({ scripts, busybox, modules: chosen.modules });
    signal?.throwIfAborted();
    await publishContents(this.#host, this.#blobs, work, [
      chosen.kernel,
      { id: initrdId, bytes: initrd },
    ]);
    return {
      kernelPath: this.#blobs.path(chosen.kernel.id),
      initrdPath: this.#blobs.path(initrdId),
      blobIds: [chosen.kernel.id, initrdId],
      kernelVersion: chosen.version,
      kernelName: chosen.name,
    };
  }

  async #choose(
    store: ImageStore | undefined,
    name: string | undefined,
    directory: string,
    signal: AbortSignal | undefined,
  ): Promise<Chosen> {
    const records = store?.listKernels() ?? [];
    const record = name === undefined ? records[0] : records.find((one) => one.name === name);
    if (record !== undefined) return await this.#imported(record);
    const kernels = await findHostKernels(this.#host, this.#places);
    const candidates =
      name === undefined ? kernels : kernels.filter(({ version }) => version === name);
    const problems: unknown[] = [];
    for (const kernel of candidates) {
      try {
        const question = await this.#question(kernel, signal);
        const prepared = await prepareKernel(this.#host, question, directory);
        return {
          name: kernel.version,
          version: prepared.image.version,
          kernel: contentOf(prepared.bytes, "kernel"),
          modules: prepared.modules,
          busybox: undefined,
        };
      } catch (error) {
        if (!isSilkError(error)) throw error;
        problems.push(error);
      }
    }
    signal?.throwIfAborted();
    // The newest one's is that of the kernel that people think of.
    if (problems.length > 0) throw problems[0];
    if (name !== undefined)
      throw kernelNotFound(name, [
        ...records.map((one) => one.name),
        ...kernels.map(({ version }) => version),
      ]);
    throw kernelMissing(
      `a container image has no kernel of its own, and there is none in ${this.#places.bootDir}`,
    );
  }

  async #imported(record: KernelRecord): Promise<Chosen> {
    const read = async (id: string | undefined): Promise<Buffer | undefined> => {
      if (id === undefined) return undefined;
      const bytes = (await this.#blobs.has(id))
        ? await readWhole(this.#host, this.#blobs.path(id))
        : undefined;
      if (bytes !== undefined && contentOf(bytes, "").id === id.replace(/\.\w+$/, "."))
        return bytes;
      throw new SilkError(`a part of the kernel ${record.name} is gone, or damaged`, {
        code: bytes === undefined ? "BLOB_MISSING" : "BLOB_DAMAGED",
        kind: "failed",
        hint: "Import it again: silk image import-kernel",
        details: { blobId: id },
      });
    };
    if (!(await this.#blobs.has(record.kernelBlobId))) await read(record.kernelBlobId);
    return {
      name: record.name,
      version: record.version,
      kernel: { id: record.kernelBlobId, bytes: undefined },
      modules: await read(record.modulesBlobId),
      busybox: await read(record.busyboxBlobId),
    };
  }

  async #question(
    { version, path }: HostKernel,
    signal: AbortSignal | undefined,
  ): Promise<KernelQuestion> {
    const { files } = this.#host;
    if (!(await files.canAccess(path, "read"))) throw kernelUnreadable(path);
    const modules = join(this.#places.modulesDir, version);
    return {
      bytes: await readWhole(this.#host, await files.realpath(path)),
      what: `the kernel ${path}`,
      architecture: this.#architecture,
      signal,
      findModules: async () =>
        (await files.stat(modules)) === undefined
          ? undefined
          : await findModules(this.#host, modules, { signal }),
      findConfig: () => findHostConfig(this.#host, this.#places, version),
    };
  }

  async #problemOf(kernel: HostKernel, { signal }: CallOptions): Promise<SilkError | undefined> {
    try {
      await checkKernel(await this.#question(kernel, signal));
      return undefined;
    } catch (error) {
      if (isSilkError(error)) return error;
      throw error;
    }
  }
}

/** A kernel that was imported. @throws SilkError `KERNEL_NOT_FOUND` */
export function findKernel(store: ImageStore, name: string): KernelRecord {
  const records = store.listKernels();
  const found = records.find((record) => record.name === name);
  if (found !== undefined) return found;
  throw kernelNotFound(
    name,
    records.map((record) => record.name),
  );
}
