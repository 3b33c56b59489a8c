import { imageInvalid } from "../errors.ts";
import type { LayerDescriptor } from "./contents.ts";
import { architectureMissing, type ImageConfig, type Manifest, notAnImage } from "./manifest.ts";

/** The layers of an image, lowest first, as its manifest and its config tell. @throws SilkError `NOT_AN_IMAGE`, `ARCHITECTURE_MISSING`, `IMAGE_INVALID` */
export function layersOf(
  manifest: Manifest,
  config: ImageConfig,
  architecture: string,
  what: string,
): readonly LayerDescriptor[] {
  const { diff_ids: diffIds } = config.rootfs;
  if (manifest.layers.length === 0) throw notAnImage(what, "it has no layers");
  if (diffIds.length !== manifest.layers.length)
    throw imageInvalid(
      `${what} has ${manifest.layers.length} layers, and its config tells of ${diffIds.length}`,
    );
  const isOther = config.architecture !== "" && config.architecture !== architecture;
  if (isOther || (config.os !== "" && config.os !== "linux"))
    throw architectureMissing(what, architecture, [
      `${config.os || "linux"}/${config.architecture || architecture}`,
    ]);
  return manifest.layers.map(({ digest, size }, index) => ({
    digest,
    sizeBytes: size,
    diffId: diffIds[index] ?? "",
  }));
}
