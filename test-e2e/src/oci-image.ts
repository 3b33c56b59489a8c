import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Files of a layer, by their paths. */
export type LayerFiles = Readonly<Record<string, string | Buffer>>;

const blockBytes = 512;

/** A tar archive of some files, and of the directories above them. */
function tarOf(files: LayerFiles): Buffer {
  const blocks: Buffer[] = [];
  const directories = new Set<string>();
  const put = (name: string, content: Buffer, type: "0" | "5"): void => {
    const header = Buffer.alloc(blockBytes);
    const octal = (value: number, at: number, length: number): void =>
      void header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
    header.write(name, 0, "latin1");
    octal(0o755, 100, 8);
    octal(0, 108, 8);
    octal(0, 116, 8);
    octal(content.length, 124, 12);
    octal(1_760_000_000, 136, 12);
    header.write(`        ${type}`, 148, "latin1");
    header.write("ustar\x0000", 257, "latin1");
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      148,
      8,
    );
    const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
    blocks.push(header, content, padding);
  };
  for (const [path, content] of Object.entries(files)) {
    const parents = path.split("/").slice(0, -1);
    for (const depth of parents.keys()) {
      const directory = `${parents.slice(0, depth + 1).join("/")}/`;
      if (!directories.has(directory)) put(directory, Buffer.alloc(0), "5");
      directories.add(directory);
    }
    put(path, Buffer.from(content), "0");
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

/** Writes an OCI layout with one image in it. @returns the digest of its manifest */
export function writeOciLayout(
  directory: string,
  layers: readonly LayerFiles[],
  options: {
    readonly tag?: string;
    readonly config?: object;
    readonly architecture?: string;
  } = {},
): string {
  const own = process.arch === "arm64" ? "arm64" : "amd64";
  const { tag = "latest", config = {}, architecture = own } = options;
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
  const digestOf = (bytes: Buffer): string =>
    `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const put = (bytes: Buffer): { readonly digest: string; readonly size: number } => {
    const digest = digestOf(bytes);
    writeFileSync(join(directory, "blobs/sha256", digest.slice(7)), bytes);
    return { digest, size: bytes.length };
  };
  const tars = layers.map(tarOf);
  const oci = "application/vnd.oci.image";
  const configBytes = Buffer.from(
    JSON.stringify({
      architecture,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: tars.map(digestOf) },
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, ...put(configBytes) },
    layers: tars.map((tar) => ({
      mediaType: `${oci}.layer.v1.tar+gzip`,
      ...put(gzipSync(tar, { level: 1 })),
    })),
  };
  const written = put(Buffer.from(JSON.stringify(manifest)));
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: manifest.mediaType,
        ...written,
        platform: { os: "linux", architecture },
        annotations: { "org.opencontainers.image.ref.name": tag },
      },
    ],
  };
  writeFileSync(join(directory, "index.json"), JSON.stringify(index));
  writeFileSync(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return written.digest;
}
