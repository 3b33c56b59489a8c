import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

export interface LayerFixture {
  readonly tar: Buffer;
  readonly compression?: "none" | "gzip" | "zstd" | undefined;
}

export interface ImageFixture {
  readonly layers: readonly LayerFixture[];
  readonly architecture?: string | undefined;
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly tag?: string | undefined;
}

export const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Writes an OCI layout of images that are made up here. @returns the digest of the last one's manifest */
export function writeLayout(directory: string, images: readonly ImageFixture[]): string {
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
  const put = (bytes: Buffer): { digest: string; size: number } => {
    const digest = sha256(bytes);
    writeFileSync(join(directory, "blobs/sha256", digest.slice(7)), bytes);
    return { digest, size: bytes.length };
  };
  const manifests = images.map(
    ({ layers, architecture = "amd64", config = {}, tag = "latest" }) => {
      const descriptors = layers.map(({ tar, compression = "gzip" }) => {
        const bytes =
          compression === "gzip"
            ? gzipSync(tar)
            : compression === "zstd"
              ? zstdCompressSync(tar)
              : tar;
        const suffix = compression === "none" ? "" : `+${compression}`;
        return { mediaType: `application/vnd.oci.image.layer.v1.tar${suffix}`, ...put(bytes) };
      });
      const configBytes = Buffer.from(
        JSON.stringify({
          architecture,
          os: "linux",
          created: "2026-01-02T03:04:05Z",
          config,
          rootfs: { type: "layers", diff_ids: layers.map(({ tar }) => sha256(tar)) },
        }),
      );
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: "application/vnd.oci.image.manifest.v1+json",
          config: { mediaType: "application/vnd.oci.image.config.v1+json", ...put(configBytes) },
          layers: descriptors,
        }),
      );
      return {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        ...put(manifest),
        platform: { os: "linux", architecture },
        annotations: { "org.opencontainers.image.ref.name": tag },
      };
    },
  );
  writeFileSync(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  writeFileSync(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return manifests.at(-1)?.digest ?? "";
}
