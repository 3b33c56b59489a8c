import { SilkError, validate } from "@silkvm/core";
import * as v from "valibot";
import { isDigest } from "../digest.ts";
import { imageInvalid } from "../errors.ts";
import { indexTypes, isLayerType, manifestTypes } from "./media-types.ts";

const descriptor = v.object({
  mediaType: v.optional(v.string(), ""),
  digest: v.pipe(v.string(), v.check(isDigest, "must be a digest")),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  urls: v.optional(v.array(v.string())),
  annotations: v.nullish(v.record(v.string(), v.string())),
});
const platform = v.object({
  architecture: v.string(),
  os: v.string(),
  variant: v.optional(v.string()),
});
const indexSchema = v.object({
  mediaType: v.optional(v.string()),
  manifests: v.array(v.object({ ...descriptor.entries, platform: v.optional(platform) })),
});
const manifestSchema = v.object({
  mediaType: v.optional(v.string()),
  config: descriptor,
  layers: v.pipe(v.array(descriptor), v.maxLength(512, "has more than 512 layers")),
});
const words = v.optional(v.nullable(v.array(v.string())));
const configSchema = v.object({
  architecture: v.optional(v.string(), ""),
  os: v.optional(v.string(), ""),
  created: v.nullish(v.string()),
  config: v.nullish(
    v.object({
      Entrypoint: words,
      Cmd: words,
      Env: words,
      User: v.nullish(v.string()),
      WorkingDir: v.nullish(v.string()),
      StopSignal: v.nullish(v.string()),
      Labels: v.nullish(v.record(v.string(), v.string())),
    }),
  ),
  rootfs: v.object({
    diff_ids: v.array(v.pipe(v.string(), v.check(isDigest, "must be a digest"))),
  }),
});

export type Descriptor = v.InferOutput<typeof descriptor>;
export type Index = v.InferOutput<typeof indexSchema>;
export type Manifest = v.InferOutput<typeof manifestSchema>;
export type ImageConfig = v.InferOutput<typeof configSchema>;

/** Manifests and configs are small; what is larger is none. */
export const largestDocumentBytes: number = 8 * 1024 ** 2;

/** An index of images or an image's manifest, by what is in it. @throws SilkError `IMAGE_INVALID` */
export function parseManifest(
  bytes: Uint8Array,
  what: string,
): { readonly index: Index } | { readonly manifest: Manifest } {
  const value = parseJson(bytes, what);
  const { mediaType, schemaVersion } = value as { mediaType?: string; schemaVersion?: unknown };
  if (schemaVersion === 1)
    throw imageInvalid(`${what} is a manifest of Docker's first form, which is not supported`, {
      hint: "Push the image again with a tool of this decade.",
    });
  if ("manifests" in value || indexTypes.includes(mediaType ?? ""))
    return { index: validate(indexSchema, value, "IMAGE_INVALID", what) };
  if (mediaType !== undefined && !manifestTypes.includes(mediaType))
    throw notAnImage(what, `it is ${JSON.stringify(mediaType)}`);
  const manifest = validate(manifestSchema, value, "IMAGE_INVALID", what);
  for (const layer of manifest.layers) {
    if (!isLayerType(layer.mediaType))
      throw notAnImage(what, `it has a layer of the type ${JSON.stringify(layer.mediaType)}`);
    if (layer.urls !== undefined && layer.urls.length > 0)
      throw imageInvalid(`${what} has a layer that its registry does not give out`, {
        hint: "Such layers are those of Windows containers, which are no VMs.",
      });
  }
  return { manifest };
}

/** @throws SilkError `IMAGE_INVALID` */
export function parseConfig(bytes: Uint8Array, what: string): ImageConfig {
  return validate(configSchema, parseJson(bytes, what), "IMAGE_INVALID", what);
}

function parseJson(bytes: Uint8Array, what: string): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // As below.
  }
  throw notAnImage(what, "it is no JSON object");
}

/** What is in a registry, or an archive, and is something else. */
export function notAnImage(what: string, why: string): SilkError {
  return new SilkError(`${what} is not an image: ${why}`, {
    code: "NOT_AN_IMAGE",
    kind: "invalid",
    hint: "Registries keep other things beside images, such as charts, signatures and disks: see that the name is right.",
  });
}

/** The machine's architecture as OCI names it. */
export function ociArchitecture(arch: string): string {
  return (
    ({ x64: "amd64", x86_64: "amd64", aarch64: "arm64", ia32: "386" } as Record<string, string>)[
      arch
    ] ?? arch
  );
}

/** The manifest of an index for this machine. @throws SilkError `ARCHITECTURE_MISSING` that lists those that there are */
export function selectManifest(index: Index, architecture: string, what: string): Descriptor {
  const found = index.manifests.find(
    ({ platform: of }) => of?.os === "linux" && of.architecture === architecture,
  );
  if (found !== undefined) return found;
  // An index of one image that does not say what it is for: its config will.
  const [only] = index.manifests;
  if (index.manifests.length === 1 && only !== undefined && only.platform === undefined)
    return only;
  const known = index.manifests
    .flatMap(({ platform: of }) =>
      of === undefined || of.architecture === "unknown"
        ? []
        : `${of.os}/${of.architecture}${of.variant === undefined ? "" : `/${of.variant}`}`,
    )
    .toSorted();
  throw architectureMissing(what, architecture, [...new Set(known)]);
}

export function architectureMissing(
  what: string,
  architecture: string,
  known: readonly string[],
): SilkError {
  const list = known.length === 0 ? "none that names its architecture" : known.join(", ");
  return new SilkError(`${what} is not there for linux/${architecture}: there is ${list}`, {
    code: "ARCHITECTURE_MISSING",
    kind: "unsupported",
    hint: "Pull another tag, or build the image for this machine's architecture.",
    details: { wanted: `linux/${architecture}`, known },
  });
}
