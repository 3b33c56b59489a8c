import { resolve } from "node:path";
import { type Host, SilkError } from "@silkvm/core";
import { shown } from "./errors.ts";

/** What no name of an image begins with: its first part would be a host. */
const path = /^(?:[/~]|\.{1,2}(?:\/|$))/;
/** How disks and archives of images are called. A name that has a tag or a digest, or a port, is none. */
const fileEnding =
  /^[^:@]+\.(?:qcow2?|raw|img|iso|vmdk|vhdx?|tar|tgz|txz|gz|xz|zst|zstd|bz2|7z|zip)$/i;
const registry = /^(?:[^/]*\.[^/]*|localhost)\//;

/** Whether a name is rather one of a file than of an image. */
export function looksLikeFile(name: string): boolean {
  return path.test(name) || (fileEnding.test(name) && !registry.test(name));
}

/**
 * Refuses what names a file where an image is to be named: a path, and what is called as disks and archives are, also where a registry is asked by that name if it has a tag.
 * @throws SilkError `FILE_NOT_FOUND`, `IMAGE_NOT_IMPORTED`
 */
export async function refuseFileName({ files }: Pick<Host, "files">, name: string): Promise<void> {
  if (!path.test(name) && !fileEnding.test(name)) return;
  const stat = await files.stat(resolve(name));
  if (stat !== undefined)
    throw new SilkError(`${shown(name)} is a ${stat.kind}, and not the name of an image`, {
      code: "IMAGE_NOT_IMPORTED",
      kind: "invalid",
      hint: `Import it, and use the name that it gets: silk image import ${shown(name)} --name NAME`,
      details: { path: name },
    });
  if (!looksLikeFile(name)) return;
  const asImage = path.test(name)
    ? ""
    : ` An image of a registry that is called so is named with its tag: ${shown(name)}:latest`;
  throw new SilkError(`there is no file ${shown(name)}`, {
    code: "FILE_NOT_FOUND",
    kind: "not-found",
    hint: `Import one that is there: silk image import FILE --name NAME.${asImage}`,
    details: { path: name },
  });
}
