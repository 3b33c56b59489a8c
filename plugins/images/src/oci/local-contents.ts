import { type Host, SilkError, validate } from "@silkvm/core";
import * as v from "valibot";
import { digestOf, parseDigest } from "../digest.ts";
import { digestMismatch, imageInvalid } from "../errors.ts";
import type { ImageContents, LayerDescriptor } from "./contents.ts";
import { type ImageFiles, readDocument } from "./image-files.ts";
import { layersOf } from "./layers-of.ts";
import {
  type Descriptor,
  type ImageConfig,
  type Index,
  notAnImage,
  parseConfig,
  parseManifest,
  selectManifest,
} from "./manifest.ts";

export interface LocalImageRequest {
  /** What people call it, for messages. */
  readonly what: string;
  /** Which image of several: its tag, or its whole name. */
  readonly select?: string | undefined;
  readonly architecture: string;
}

/**
 * Opens an image in a directory or an archive: an OCI layout, or what `docker save` writes.
 * @throws SilkError `NOT_AN_IMAGE`, `IMAGE_INVALID`, `IMAGE_AMBIGUOUS`, `IMAGE_NOT_FOUND`, `ARCHITECTURE_MISSING`, `DIGEST_MISMATCH`
 */
export async function openLocalImage(
  host: Host,
  files: ImageFiles,
  request: LocalImageRequest,
): Promise<ImageContents> {
  const index = await readDocument(host, files, "index.json");
  if (index !== undefined) return await openLayout(host, files, index, request);
  const saved = await readDocument(host, files, "manifest.json");
  if (saved !== undefined) return await openSaved(host, files, saved, request);
  throw notAnImage(request.what, "it has neither an index.json nor a manifest.json");
}

const nameAnnotations = ["io.containerd.image.name", "org.opencontainers.image.ref.name"] as const;

async function openLayout(
  host: Host,
  files: ImageFiles,
  indexBytes: Uint8Array,
  request: LocalImageRequest,
): Promise<ImageContents> {
  const { what, architecture } = request;
  const read = async ({ digest }: Descriptor, of: string): Promise<Uint8Array> => {
    const { algorithm, hex } = parseDigest(digest);
    const bytes = await readDocument(host, files, `blobs/${algorithm}/${hex}`);
    if (bytes === undefined) throw imageInvalid(`${what} lacks its ${of}, ${digest}`);
    const actual = digestOf(bytes, algorithm);
    if (actual !== digest) throw digestMismatch(`the ${of} of ${what}`, digest, actual);
    return bytes;
  };
  const top = parseManifest(indexBytes, what);
  if (!("index" in top)) throw notAnImage(what, "its index.json is none");
  let descriptor = pick(top.index, request);
  const names = namesOf(descriptor);
  let parsed = parseManifest(await read(descriptor, "manifest"), what);
  for (let depth = 0; "index" in parsed; depth += 1) {
    if (depth > 3) throw imageInvalid(`${what} is an index of an index, and so on`);
    descriptor = selectManifest(parsed.index, architecture, what);
    parsed = parseManifest(await read(descriptor, "manifest"), what);
  }
  const config = parseConfig(await read(parsed.manifest.config, "config"), `the config of ${what}`);
  const layers = layersOf(parsed.manifest, config, architecture, what);
  return contents(
    { digest: descriptor.digest, config, layers, what, names },
    async ({ digest }) => {
      const { algorithm, hex } = parseDigest(digest);
      return { path: await files.path(`blobs/${algorithm}/${hex}`), checked: false };
    },
  );
}

/** Of an index of several images, that which is asked for; of one for several architectures, which some tools write without another index, ours. */
function pick(index: Index, { what, select, architecture }: LocalImageRequest): Descriptor {
  const images = index.manifests;
  if (select !== undefined) {
    const found = images.find((image) =>
      namesOf(image).some((name) => name === select || name.endsWith(`:${select}`)),
    );
    if (found !== undefined) return found;
    throw new SilkError(`${what} has no image ${JSON.stringify(select)}`, {
      code: "IMAGE_NOT_FOUND",
      kind: "not-found",
      hint: `There is ${images.flatMap(namesOf).join(", ") || "one without a name"}.`,
    });
  }
  const [first] = images;
  if (first === undefined) throw notAnImage(what, "it is empty");
  if (images.length === 1) return first;
  const named = new Set(images.flatMap(namesOf));
  if (named.size > 1)
    throw new SilkError(`${what} has several images`, {
      code: "IMAGE_AMBIGUOUS",
      kind: "conflict",
      hint: `Say which: ${[...named].join(", ")}`,
      details: { names: [...named] },
    });
  return selectManifest(index, architecture, what);
}

function namesOf({ annotations }: Descriptor): readonly string[] {
  return nameAnnotations.flatMap((key) => annotations?.[key] ?? []);
}

const savedSchema = v.array(
  v.object({
    Config: v.string(),
    RepoTags: v.nullish(v.array(v.string())),
    Layers: v.array(v.string()),
  }),
);

async function openSaved(
  host: Host,
  files: ImageFiles,
  bytes: Uint8Array,
  { what, select, architecture }: LocalImageRequest,
): Promise<ImageContents> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw notAnImage(what, "its manifest.json is no JSON");
  }
  const images = validate(savedSchema, value, "IMAGE_INVALID", `the manifest.json of ${what}`);
  const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []);
  const chosen =
    select === undefined
      ? images
      : images.filter(({ RepoTags }) =>
          RepoTags?.some((tag) => tag === select || tag.endsWith(`:${select}`)),
        );
  const [image] = chosen;
  if (image === undefined)
    throw new SilkError(`${what} has no image ${JSON.stringify(select ?? "at all")}`, {
      code: "IMAGE_NOT_FOUND",
      kind: "not-found",
      hint: `There is ${tags.join(", ") || "one without a name"}.`,
    });
  if (chosen.length > 1)
    throw new SilkError(`${what} has several images`, {
      code: "IMAGE_AMBIGUOUS",
      kind: "conflict",
      hint: `Say which: ${tags.join(", ")}`,
      details: { names: tags },
    });
  const configBytes = await readDocument(host, files, image.Config);
  if (configBytes === undefined) throw imageInvalid(`${what} lacks its config, ${image.Config}`);
  const config = parseConfig(configBytes, `the config of ${what}`);
  const digest = digestOf(configBytes);
  const { diff_ids: diffIds } = config.rootfs;
  const descriptors = image.Layers.map((_, index) => ({
    mediaType: "application/vnd.oci.image.layer.v1.tar",
    digest: diffIds[index] ?? digest,
    size: 0,
  }));
  const manifest = {
    config: { ...descriptors[0], mediaType: "", digest, size: 0 },
    layers: descriptors,
  };
  const layers = layersOf(manifest, config, architecture, what);
  const paths = new Map(layers.map((layer, index) => [layer.digest, image.Layers[index] ?? ""]));
  return contents(
    { digest, config, layers, what, names: image.RepoTags ?? [] },
    // The digest is that of the archive itself, which is checked as it is read.
    async (layer) => ({ path: await files.path(paths.get(layer.digest) ?? ""), checked: true }),
  );
}

function contents(
  known: {
    readonly digest: string;
    readonly config: ImageConfig;
    readonly layers: readonly LayerDescriptor[];
    readonly what: string;
    readonly names: readonly string[];
  },
  find: (
    layer: LayerDescriptor,
  ) => Promise<{ readonly path: string | undefined; readonly checked: boolean }>,
): ImageContents {
  return {
    ...known,
    obtain: async (layer) => {
      const { path, checked } = await find(layer);
      if (path === undefined) throw imageInvalid(`${known.what} lacks its layer ${layer.digest}`);
      return { path, checked };
    },
    release: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}
