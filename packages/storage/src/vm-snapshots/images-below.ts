import { dirname, resolve } from "node:path";
import type { Host } from "@silkvm/core";
import { readImageHeader } from "../image-header.ts";
import { snapshotUnsupported } from "./snapshot-errors.ts";

/** The VMM follows no longer chain. */
const longestChain = 10;

/** The image right below an overlay. */
export interface ImageBelow {
  readonly path: string;
  /** Whether the overlay names it by a path that starts at the overlay's own directory. */
  readonly isRelative: boolean;
}

/**
 * The images below an image, from the top down; none for one that stands alone. Each is given before it is looked into.
 * @throws SilkError `SNAPSHOT_UNSUPPORTED`, `INVALID_IMAGE`; Node's errors of reading
 */
export async function* imagesBelow(
  host: Host,
  top: string,
): AsyncGenerator<ImageBelow, void, undefined> {
  let path = top;
  for (let depth = 0; depth <= longestChain; depth++) {
    const header = await readImageHeader(host, path);
    if (header.externalData === true || header.encrypted === true)
      throw snapshotUnsupported(
        `${path} is a qcow2 image that is encrypted, or has its data in another file`,
      );
    if (header.backingFile === undefined) return;
    const below = resolve(dirname(await host.files.realpath(path)), header.backingFile);
    yield { path: below, isRelative: !header.backingFile.startsWith("/") };
    if (header.backingFormat === "raw") return;
    path = below;
  }
  throw snapshotUnsupported(`${top} has more than ${longestChain} images below it`);
}
