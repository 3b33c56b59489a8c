import { join } from "node:path";
import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { parseDigest } from "../digest.ts";
import { imageInvalid } from "../errors.ts";
import { download } from "../http/download.ts";
import type { Http } from "../http/http.ts";
import type { ImageContents, LayerDescriptor, LayerFile } from "../oci/contents.ts";
import { layersOf } from "../oci/layers-of.ts";
import { parseConfig, parseManifest, selectManifest } from "../oci/manifest.ts";
import { familiarName, type Reference } from "../reference.ts";
import type { Blobs } from "../store/blobs.ts";
import { type RegistryOptions, RepositoryClient } from "./client.ts";

/**
 * Finds an image in its registry: its manifest for this machine's architecture, and its config.
 * @throws SilkError `IMAGE_NOT_FOUND`, `REGISTRY_DENIED`, `ARCHITECTURE_MISSING`, `NOT_AN_IMAGE`, `IMAGE_INVALID`, `SERVER_UNREACHABLE`, …
 */
export async function openRegistryImage(
  host: Host,
  http: Http,
  blobs: Blobs,
  reference: Reference,
  options: CallOptions & RegistryOptions & { readonly architecture: string },
): Promise<ImageContents> {
  const client = new RepositoryClient(host, http, reference, options);
  const what = familiarName(reference.name);
  let { bytes, digest } = await client.manifest(
    reference.digest ?? reference.tag ?? "latest",
    options,
  );
  let parsed = parseManifest(bytes, what);
  for (let depth = 0; "index" in parsed; depth += 1) {
    if (depth > 3) throw imageInvalid(`${what} is an index of an index, and so on`);
    const selected = selectManifest(parsed.index, options.architecture, what);
    ({ bytes, digest } = await client.manifest(selected.digest, options));
    parsed = parseManifest(bytes, what);
  }
  const { manifest } = parsed;
  const config = parseConfig(
    await client.document(manifest.config.digest, manifest.config.size, options),
    `the config of ${what}`,
  );
  const layers = layersOf(manifest, config, options.architecture, what);
  return new RegistryContents({
    host,
    http,
    blobs,
    client,
    digest,
    config,
    layers,
    what,
    reference,
  });
}

interface Parts {
  readonly host: Host;
  readonly http: Http;
  readonly blobs: Blobs;
  readonly client: RepositoryClient;
  readonly digest: string;
  readonly config: ImageContents["config"];
  readonly layers: readonly LayerDescriptor[];
  readonly what: string;
  readonly reference: Reference;
}

class RegistryContents implements ImageContents {
  readonly digest: string;
  readonly config: ImageContents["config"];
  readonly layers: readonly LayerDescriptor[];
  readonly what: string;
  readonly names: readonly string[];
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.digest = parts.digest;
    this.config = parts.config;
    this.layers = parts.layers;
    this.what = parts.what;
    this.names = [parts.reference.name];
  }

  async obtain(
    layer: LayerDescriptor,
    { signal, onProgress }: Parameters<ImageContents["obtain"]>[1],
  ): Promise<LayerFile> {
    const { host, http, blobs, client, what } = this.#parts;
    const { algorithm, hex } = parseDigest(layer.digest);
    const path = join(blobs.paths.downloadsDir, `${algorithm}-${hex}`);
    const done = async (): Promise<boolean> =>
      (await host.files.stat(path))?.sizeBytes === layer.sizeBytes;
    // A layer gets its name when it has been checked.
    if (await done()) return { path, checked: true };
    await using _lock = await blobs.lock(`download ${layer.digest}`, { signal });
    if (await done()) return { path, checked: true };
    const partial = `${path}.partial`;
    const index = this.layers.findIndex(({ digest }) => digest === layer.digest) + 1;
    try {
      await download(host, http, {
        path: partial,
        what: `a layer of ${what}`,
        open: (start) => client.openBlob(layer.digest, start, { signal }),
        sizeBytes: layer.sizeBytes,
        digest: layer.digest,
        algorithm,
        mostBytes: layer.sizeBytes,
        signal,
        onProgress: (doneBytes, totalBytes, verifying) =>
          onProgress?.({
            phase: verifying ? "verifying" : "downloading",
            item: layer.digest,
            index,
            total: this.layers.length,
            doneBytes,
            totalBytes,
          }),
      });
    } catch (error) {
      throw diskFullOr(error, what);
    }
    await host.files.rename(partial, path);
    return { path, checked: true };
  }

  async release(layer: LayerDescriptor, { signal }: CallOptions): Promise<void> {
    const { host, blobs } = this.#parts;
    const { algorithm, hex } = parseDigest(layer.digest);
    await using _lock = await blobs.lock(`download ${layer.digest}`, { signal });
    const path = join(blobs.paths.downloadsDir, `${algorithm}-${hex}`);
    await host.files.remove(path);
    await host.files.remove(`${path}.partial`);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function diskFullOr(error: unknown, what: string): unknown {
  const { code } = error as { code?: unknown };
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new SilkError(`no room to download ${what}`, {
    code: "DISK_FULL",
    kind: "failed",
    hint: "Free some space (`silk gc --dry-run` shows what silk can let go), or name another directory with --root-dir. What has been downloaded is kept.",
    cause: error,
  });
}
