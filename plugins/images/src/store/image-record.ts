import type { ImageType } from "@silkvm/core";

/** A layer of an image. */
export interface ImageLayer {
  /** The EROFS blob. */
  readonly blobId: string;
  /** Of the layer's archive, uncompressed: `sha256:…`. */
  readonly diffId: string;
  /** Of the layer as the image's manifest names it. */
  readonly digest: string;
  /** Of the EROFS blob. */
  readonly sizeBytes: number;
}

/** How an image wants to be run, as its maker has set it. */
export interface ImageRunConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  /** `name`, `uid`, `name:group`, … Empty for root. */
  readonly user: string;
  readonly workingDir: string;
  readonly stopSignal?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** An image that is here. */
export interface ImageRecord {
  /** Its name: `docker.io/library/debian:12`, or the URL of a cloud image. */
  readonly ref: string;
  /** Of the manifest of this machine's architecture, or of the file of a cloud image: `sha256:…`. What the image is known by whatever its names are. */
  readonly digest: string;
  readonly type: ImageType;
  /** Room that it takes, shared blobs included. */
  readonly sizeBytes: number;
  /** ISO 8601. */
  readonly pulledAt: string;
  /** Where it came from: a reference, a URL, a path. */
  readonly source: string;
  /** As OCI names it: `amd64`, `arm64`. */
  readonly architecture: string;
  /** ISO 8601; when it was made, where it says. */
  readonly createdAt?: string | undefined;
  /** Of an OCI image, the lowest first. */
  readonly layers: readonly ImageLayer[];
  readonly run?: ImageRunConfig | undefined;
  readonly kernel?: { readonly blobId: string; readonly path: string } | undefined;
  readonly initrd?: { readonly blobId: string; readonly path: string } | undefined;
  /** Of a cloud image. */
  readonly disk?:
    | {
        readonly blobId: string;
        readonly format: "raw";
        /** Size that the guest sees. */
        readonly virtualSizeBytes: number;
        /** What the file was before. */
        readonly sourceFormat: "raw" | "qcow2";
      }
    | undefined;
  /** What the server calls this state of a cloud image. */
  readonly etag?: string | undefined;
  /** Every file that it needs. */
  readonly blobIds: readonly string[];
}
