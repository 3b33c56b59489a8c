import { layerInvalid, tooLarge } from "../errors.ts";

/** What bounds a layer, so that a small download does not fill a disk, or memory. */
export interface LayerLimits {
  /** Bytes of a layer when it is unpacked. Default 64 GiB. */
  readonly unpackedBytes: number;
  /** Files, directories and the like in a layer. Default 4 million. */
  readonly entries: number;
}

export const defaultLimits: LayerLimits = { unpackedBytes: 64 * 1024 ** 3, entries: 4_000_000 };

/** Counts what a layer has, and refuses what is beyond its limits. */
export class LayerBudget {
  readonly #limits: LayerLimits;
  #archiveBytes = 0;
  #unpackedBytes = 0;
  #entries = 0;

  constructor(limits: LayerLimits) {
    this.#limits = limits;
  }

  /** Bytes of its archive: headers and padding are more than nothing, and less than as much again. */
  archive(bytes: number): void {
    this.#archiveBytes += bytes;
    if (this.#archiveBytes > this.#limits.unpackedBytes * 2) throw this.#tooLarge();
  }

  /** A file's bytes. */
  unpacked(bytes: number): void {
    this.#unpackedBytes += bytes;
    if (this.#unpackedBytes > this.#limits.unpackedBytes) throw this.#tooLarge();
  }

  entry(): void {
    if (++this.#entries > this.#limits.entries)
      throw layerInvalid(`it has more than ${this.#limits.entries} entries`);
  }

  #tooLarge() {
    return tooLarge("a layer of the image", this.#limits.unpackedBytes);
  }
}
