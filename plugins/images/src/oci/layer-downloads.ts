import type { CallOptions } from "@silkvm/core";
import type { ImageProgress } from "../progress.ts";
import type { ImageContents, LayerDescriptor, LayerFile } from "./contents.ts";

/** So many layers are downloaded at once, apart from the one that is being converted. */
const atOnce = 4;

/** The downloads of an image's layers, which go on while layers are converted. */
export class LayerDownloads {
  readonly #contents: ImageContents;
  readonly #options: CallOptions & { readonly onProgress: (progress: ImageProgress) => void };
  readonly #downloads = new Map<string, Promise<unknown>>();
  #workers: readonly Promise<void>[] = [];

  constructor(
    contents: ImageContents,
    options: CallOptions & { readonly onProgress: (progress: ImageProgress) => void },
  ) {
    this.#contents = contents;
    this.#options = options;
  }

  /** Begins with them, in this order. */
  start(layers: readonly LayerDescriptor[]): void {
    const queue = layers.values();
    const work = async (): Promise<void> => {
      for (const layer of queue) {
        const download = this.#contents.obtain(layer, this.#options);
        this.#downloads.set(layer.digest, download);
        await download;
      }
    };
    this.#workers = Array.from({ length: atOnce }, work);
    // A failure is met by whoever needs the layer.
    for (const worker of this.#workers) worker.catch(() => undefined);
  }

  /** Sees to it that a layer is here. */
  async obtain(layer: LayerDescriptor): Promise<LayerFile> {
    await this.#downloads.get(layer.digest);
    return await this.#contents.obtain(layer, this.#options);
  }

  /** All have come to their end. */
  async done(): Promise<void> {
    await Promise.all(this.#workers);
  }

  /** None goes on any more, however it ended. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#workers);
  }
}
