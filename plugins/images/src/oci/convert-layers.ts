import { join } from "node:path";
import type { CallOptions, Host } from "@silkvm/core";
import { hashFor, parseDigest } from "../digest.ts";
import { digestMismatch, layerInvalid, shown } from "../errors.ts";
import { readFile } from "../files/read-file.ts";
import { type ErofsMode, erofsMode, makeErofs, unpackErofs } from "../layers/erofs.ts";
import { type FlatLayer, flattenLayer } from "../layers/flatten.ts";
import { defaultDirectory, directoryNode, type Node, stack } from "../layers/inode.ts";
import { type LayerFacts, packLayer } from "../layers/layer-file.ts";
import type { LayerLimits } from "../layers/layer-limits.ts";
import type { ImageProgress } from "../progress.ts";
import type { Blobs } from "../store/blobs.ts";
import type { ImageLayer } from "../store/image-record.ts";
import type { ImageStore } from "../store/image-store.ts";
import type { ImageContents, LayerDescriptor } from "./contents.ts";
import { decompressLayer } from "./decompress.ts";
import { type KnownLayer, KnownLayers } from "./known-layers.ts";
import { LayerDownloads } from "./layer-downloads.ts";
import { chainOf, dependentId, plainId } from "./layer-ids.ts";

export interface ConvertContext extends CallOptions {
  readonly host: Host;
  readonly blobs: Blobs;
  readonly store: ImageStore;
  readonly limits: LayerLimits;
  readonly onProgress: (progress: ImageProgress) => void;
}

export interface ConvertedLayers {
  readonly layers: readonly ImageLayer[];
  /** Kernels and initrds of all layers, whether they count or not. */
  readonly bootBlobIds: readonly string[];
  /** What the layers come to. */
  readonly root: Node;
}

/**
 * Makes every layer of an image a blob, those that are none yet. Layers are downloaded side by side and converted in their order, because what a layer comes to may
 * depend on those below it; while one becomes a file system the next one is read.
 */
export async function convertLayers(
  context: ConvertContext,
  contents: ImageContents,
): Promise<ConvertedLayers> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(context.signal ? [context.signal] : [])]);
  const conversion = new Conversion({ ...context, signal }, contents);
  try {
    return await conversion.run();
  } catch (error) {
    failed.abort(error);
    // Nothing goes on behind the caller's back.
    await conversion.settle();
    context.signal?.throwIfAborted();
    throw error;
  }
}

class Conversion {
  readonly #context: ConvertContext;
  readonly #contents: ImageContents;
  /** File systems that are being made, by their blobs. */
  readonly #making = new Map<string, Promise<void>>();
  readonly #known: KnownLayers;
  readonly #downloads: LayerDownloads;
  #mode: ErofsMode | undefined;
  #root: Node = directoryNode(defaultDirectory, "");
  #count = 0;

  constructor(context: ConvertContext, contents: ImageContents) {
    this.#context = context;
    this.#contents = contents;
    this.#known = new KnownLayers(context);
    this.#downloads = new LayerDownloads(contents, context);
  }

  async run(): Promise<ConvertedLayers> {
    const { blobs } = this.#context;
    const wanted = await this.#known.missing(this.#contents.layers);
    if (wanted.length > 0) this.#mode = await erofsMode(this.#context.host, this.#context);
    this.#downloads.start(wanted);
    const done: string[] = [];
    const bootBlobIds = new Set<string>();
    let chain = "";
    for (const layer of this.#contents.layers) {
      chain = chainOf(chain, layer.diffId);
      const facts = (await this.#known.ofChain(chain)) ?? (await this.#convert(layer, chain));
      done.push(facts.blobId);
      for (const id of facts.bootBlobIds) bootBlobIds.add(id);
      stack(this.#root, facts.root);
      this.#count += 1;
    }
    await Promise.all(this.#making.values());
    await this.#downloads.done();
    // A download may have come to its end after others had made the blob. Under the lock of the layer, because they may need it for another one.
    for (const layer of wanted) {
      await using _lock = await blobs.lock(`layer ${layer.diffId}`, this.#context);
      await this.#contents.release(layer, this.#context);
    }
    const layers: ImageLayer[] = [];
    for (const [index, { diffId, digest }] of this.#contents.layers.entries()) {
      const blobId = done[index] ?? "";
      layers.push({ blobId, diffId, digest, sizeBytes: (await blobs.sizeOf(blobId)) ?? 0 });
    }
    return { layers, bootBlobIds: [...bootBlobIds], root: this.#root };
  }

  async settle(): Promise<void> {
    await Promise.allSettled(this.#making.values());
    await this.#downloads.settle();
  }

  async #convert(layer: LayerDescriptor, chain: string): Promise<KnownLayer> {
    const { store, blobs, signal } = this.#context;
    // Waited for without the lock: others may be downloading the same layer.
    if (!(await this.#known.isWhole(plainId(layer)))) await this.#downloads.obtain(layer);
    const lock = await blobs.lock(`layer ${layer.diffId}`, { signal });
    try {
      // What others have made of it meanwhile, or made of it for another image.
      const there =
        (await this.#known.ofChain(chain)) ?? (await this.#known.ofOthers(layer, this.#below()));
      if (there !== undefined) {
        store.setBlobOfChain(chain, there.blobId);
        await this.#contents.release(layer, this.#context);
        await lock.release();
        return there;
      }
      const work = await blobs.work({ signal });
      try {
        const flat = await this.#flatten(layer, work.path);
        const blobId = flat.dependsOnBelow ? dependentId(chain) : plainId(layer);
        nameLayer(flat.tree, blobId);
        const facts: LayerFacts = {
          diffId: layer.diffId,
          assumptions: flat.assumptions,
          bootBlobIds: [...new Set(flat.bootFiles.map((file) => file.blobId))],
          root: flat.tree,
        };
        const bytes = await packLayer(facts);
        const before = [...this.#making.values()];
        const finished = (async () => {
          try {
            await this.#make(flat, blobId, work.path, bytes, before);
            store.setBlobOfChain(chain, blobId);
            await this.#contents.release(layer, this.#context);
          } finally {
            await work[Symbol.asyncDispose]();
            await lock.release();
          }
        })();
        finished.catch(() => undefined);
        this.#making.set(blobId, finished);
        return { ...facts, blobId };
      } catch (error) {
        await work[Symbol.asyncDispose]();
        throw error;
      }
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async #flatten(layer: LayerDescriptor, directory: string): Promise<FlatLayer> {
    const { host, limits, signal, onProgress } = this.#context;
    this.#mode ??= await erofsMode(host, { signal });
    // It may have been taken away with the blob that was there.
    const file = await this.#contents.obtain(layer, this.#context);
    onProgress({
      phase: "converting",
      item: layer.digest,
      index: this.#count + 1,
      total: this.#contents.layers.length,
    });
    const hash = file.checked ? undefined : hashFor(layer.digest);
    async function* hashed(): AsyncGenerator<Uint8Array> {
      for await (const bytes of readFile(host, file.path, { signal })) {
        hash?.update(bytes);
        yield bytes;
      }
    }
    const flat = await flattenLayer(host, {
      archive: decompressLayer(hashed()),
      below: this.#below(),
      directory,
      limits,
      signal,
      readBelow: (blobId, path) => this.#readBelow(blobId, path),
    });
    if (hash !== undefined) {
      const actual = `${parseDigest(layer.digest).algorithm}:${hash.digest("hex")}`;
      if (actual !== layer.digest)
        throw digestMismatch("a layer of the image", layer.digest, actual);
    }
    if (`sha256:${flat.diffId}` !== layer.diffId && layer.diffId.startsWith("sha256:"))
      throw digestMismatch(
        "a layer of the image, unpacked,",
        layer.diffId,
        `sha256:${flat.diffId}`,
      );
    return flat;
  }

  #below(): Node | undefined {
    return this.#count === 0 ? undefined : this.#root;
  }

  async #make(
    flat: FlatLayer,
    blobId: string,
    directory: string,
    factBytes: Uint8Array,
    before: readonly Promise<void>[],
  ): Promise<void> {
    const { host, blobs, signal } = this.#context;
    await Promise.all(before);
    const erofsPath = join(directory, "layer.erofs");
    await makeErofs(host, {
      mode: this.#mode ?? "directory",
      tarPath: flat.tarPath,
      erofsPath,
      directory,
      idHex: blobId,
      latestSeconds: flat.latestSeconds,
      signal,
    });
    const boot = flat.bootFiles.map(({ blobId: id, filePath }) => ({ id, filePath }));
    await blobs.publish([...boot, { id: blobId, filePath: erofsPath }], {
      id: blobId,
      bytes: factBytes,
    });
  }

  async *#readBelow(blobId: string, path: string): AsyncGenerator<Uint8Array> {
    const { host, blobs, signal } = this.#context;
    await this.#making.get(blobId);
    await using work = await blobs.work({ signal });
    const root = join(work.path, "below");
    await unpackErofs(host, blobs.path(blobId), root, { signal });
    const bytes = Buffer.from(path, "latin1");
    const name = bytes.toString("utf8");
    if (Buffer.compare(Buffer.from(name), bytes) !== 0)
      throw layerInvalid(`${shown(path)}, which a hard link of another layer names, is no UTF-8`);
    yield* readFile(host, join(root, name), { signal });
  }
}

function nameLayer(node: Node, blobId: string): void {
  node.layer = blobId;
  for (const child of node.children?.values() ?? []) nameLayer(child, blobId);
}
