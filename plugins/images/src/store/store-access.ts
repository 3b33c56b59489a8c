import type { Host } from "@silkvm/core";
import type { Blobs } from "./blobs.ts";
import { type ImageStore, openImageStore, openImageStoreReadOnly } from "./image-store.ts";

/** The store as it is just now. */
export interface StoreLook extends Disposable {
  /** Undefined where nothing has been written yet. */
  readonly store: ImageStore | undefined;
}

/** The store of a root directory, which is made and kept open only once something is to be written. */
export class StoreAccess implements Disposable {
  readonly #host: Host;
  readonly #blobs: Blobs;
  #store: ImageStore | undefined;

  constructor(host: Host, blobs: Blobs) {
    this.#host = host;
    this.#blobs = blobs;
  }

  async writable(): Promise<ImageStore> {
    await this.#blobs.prepare();
    this.#store ??= openImageStore(this.#host, this.#blobs.paths.databasePath);
    return this.#store;
  }

  /** Opens the store for one look. Writes nothing. */
  look(): StoreLook {
    const kept = this.#store;
    if (kept !== undefined) return { store: kept, [Symbol.dispose]: () => {} };
    const store = openImageStoreReadOnly(this.#host, this.#blobs.paths.databasePath);
    return { store, [Symbol.dispose]: () => store?.[Symbol.dispose]() };
  }

  [Symbol.dispose](): void {
    this.#store?.[Symbol.dispose]();
    this.#store = undefined;
  }
}
