import { SilkError } from "@silkvm/core";
import { isDigest } from "./digest.ts";
import { parseReference } from "./reference.ts";
import type { ImageRecord } from "./store/image-record.ts";

/** Whether a name is the URL of a cloud image. */
export function isUrl(name: string): boolean {
  return /^https?:\/\//.test(name) && URL.canParse(name);
}

/** What a cloud image is known by: its URL, without a login. */
export function urlName(url: string): string {
  const clean = new URL(url);
  clean.username = "";
  clean.password = "";
  clean.hash = "";
  return clean.href;
}

/** A name as it may be told: a URL without login and query. */
export function hideSecrets(name: string): string {
  return isUrl(name) ? urlName(name).replace(/\?.*$/, "") : name;
}

/** Whether it is a name of the image, and not its digest. */
export function isKnownName(name: string, image: ImageRecord): boolean {
  if (isUrl(name)) return true;
  try {
    return parseReference(name).name === image.ref;
  } catch {
    return false;
  }
}

/** @throws SilkError `INVALID_CHECKSUM` */
export function checkChecksum(checksum: string | undefined): void {
  if (checksum === undefined || isDigest(checksum)) return;
  throw new SilkError(`${JSON.stringify(checksum)} is no checksum`, {
    code: "INVALID_CHECKSUM",
    kind: "invalid",
    hint: "Write it as sha256: and 64 hexadecimal digits, or sha512: and 128.",
  });
}
