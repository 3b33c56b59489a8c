import { SilkError } from "@silkvm/core";
import { shown } from "../errors.ts";
import { looksLikeFile } from "../file-name.ts";
import { familiarName, parseReference } from "../reference.ts";
import type { ImageRecord } from "./image-record.ts";
import type { ImageStore } from "./image-store.ts";

/** The fewest digits of a digest that mean an image. */
const fewestDigits = 4;

/**
 * The image that a name means: a name of its own, a URL, a digest, or the beginning of one.
 * @throws SilkError `IMAGE_NOT_FOUND`, `IMAGE_AMBIGUOUS`
 */
export function findImage(store: ImageStore | undefined, name: string): ImageRecord {
  const found = store === undefined ? undefined : (byName(store, name) ?? byDigest(store, name));
  if (found !== undefined) return found;
  const get = looksLikeFile(name)
    ? `Import it: silk image import ${shown(name)} --name NAME`
    : `Pull it: silk image pull ${name}`;
  throw new SilkError(`there is no image ${JSON.stringify(name)} here`, {
    code: "IMAGE_NOT_FOUND",
    kind: "not-found",
    hint: `${get} (\`silk image list\` shows those that are here)`,
    details: { name },
  });
}

function byName(store: ImageStore, name: string): ImageRecord | undefined {
  const exact = store.find(name);
  if (exact !== undefined) return exact;
  try {
    return store.find(parseReference(name).name);
  } catch {
    return undefined;
  }
}

function byDigest(store: ImageStore, name: string): ImageRecord | undefined {
  const [, algorithm = "sha256", hex = ""] = /^(?:(sha256|sha512):)?([0-9a-f]+)$/.exec(name) ?? [];
  if (hex.length < fewestDigits) return undefined;
  const records = store.findByDigest(`${algorithm}:${hex}`);
  const digests = new Set(records.map(({ digest }) => digest));
  if (digests.size <= 1) return records[0];
  throw new SilkError(`${JSON.stringify(name)} means several images`, {
    code: "IMAGE_AMBIGUOUS",
    kind: "conflict",
    hint: `Write more of the digest: ${records.map(({ digest, ref }) => `${digest.slice(0, 24)} (${familiarName(ref)})`).join(", ")}`,
    details: { digests: [...digests] },
  });
}
