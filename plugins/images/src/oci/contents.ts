import type { CallOptions } from "@silkvm/core";
import type { ImageProgress } from "../progress.ts";
import type { ImageConfig } from "./manifest.ts";

/** A layer that a manifest names. */
export interface LayerDescriptor {
  /** Of the layer as it is kept, compressed or not. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Of the archive itself. */
  readonly diffId: string;
}

/** A layer as a file. */
export interface LayerFile {
  readonly path: string;
  /** Whether its digest has been checked already. */
  readonly checked: boolean;
}

/** An image, wherever it is. */
export interface ImageContents extends AsyncDisposable {
  /** Of its manifest. */
  readonly digest: string;
  readonly config: ImageConfig;
  readonly layers: readonly LayerDescriptor[];
  /** What people call it, for messages. */
  readonly what: string;
  /** Names that it has where it is, which may be none. */
  readonly names: readonly string[];
  /** Sees to it that a layer is here. */
  obtain(
    layer: LayerDescriptor,
    options: CallOptions & {
      readonly onProgress?: ((progress: ImageProgress) => void) | undefined;
    },
  ): Promise<LayerFile>;
  /** The layer is not needed any more. */
  release(layer: LayerDescriptor, options: CallOptions): Promise<void>;
}
