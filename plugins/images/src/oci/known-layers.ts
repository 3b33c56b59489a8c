import type { Host } from "@silkvm/core";
import type { Node } from "../layers/inode.ts";
import { type LayerFacts, readLayerFacts } from "../layers/layer-file.ts";
import { holdsOn } from "../layers/layer-tree.ts";
import type { Blobs } from "../store/blobs.ts";
import type { ImageStore } from "../store/image-store.ts";
import type { LayerDescriptor } from "./contents.ts";
import { chainOf, plainId } from "./layer-ids.ts";

/** A layer that is a blob, with what is remembered of it. */
export type KnownLayer = LayerFacts & { readonly blobId: string };

/** The layers that are blobs already, of whatever image. */
export class KnownLayers {
  readonly #host: Host;
  readonly #blobs: Blobs;
  readonly #store: ImageStore;

  constructor({ host, blobs, store }: { host: Host; blobs: Blobs; store: ImageStore }) {
    this.#host = host;
    this.#blobs = blobs;
    this.#store = store;
  }

  /** Those of an image that are no blobs for certain. */
  async missing(layers: readonly LayerDescriptor[]): Promise<readonly LayerDescriptor[]> {
    const missing: LayerDescriptor[] = [];
    let chain = "";
    for (const layer of layers) {
      chain = chainOf(chain, layer.diffId);
      if (!(await this.isWhole(this.#store.blobOfChain(chain) ?? plainId(layer))))
        missing.push(layer);
    }
    return missing;
  }

  /** A layer on those below it, as it was made before. */
  async ofChain(chain: string): Promise<KnownLayer | undefined> {
    const blobId = this.#store.blobOfChain(chain);
    return blobId === undefined ? undefined : await this.#read(blobId);
  }

  /** A layer that was made on other ones, where it is the same on these. */
  async ofOthers(layer: LayerDescriptor, below: Node | undefined): Promise<KnownLayer | undefined> {
    const plain = await this.#read(plainId(layer));
    return plain !== undefined && holdsOn(below, plain.assumptions) ? plain : undefined;
  }

  async isWhole(blobId: string): Promise<boolean> {
    const { files } = this.#host;
    return (
      (await this.#blobs.has(blobId)) &&
      (await files.stat(this.#blobs.factsPath(blobId))) !== undefined
    );
  }

  /** The facts of a blob that is there with all that belongs to it. */
  async #read(blobId: string): Promise<KnownLayer | undefined> {
    if (!(await this.isWhole(blobId))) return undefined;
    const path = this.#blobs.factsPath(blobId);
    const facts = await readLayerFacts(this.#host, path, blobId).catch(() => undefined);
    if (facts === undefined || !(await this.#blobs.hasAll(facts.bootBlobIds))) return undefined;
    return { ...facts, blobId };
  }
}
