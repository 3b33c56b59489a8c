import { join } from "node:path";
import type { Host } from "@silkvm/core";
import { imageInvalid } from "../errors.ts";
import { beginsImage } from "./known-files.ts";
import { largestDocumentBytes } from "./manifest.ts";

/** The files of an image's directory or archive, by their names in it. */
export interface ImageFiles {
  /** Where a file is; undefined where there is none. */
  path(name: string): Promise<string | undefined>;
}

/** Those of an OCI layout directory. */
export function directoryFiles(host: Host, directory: string): ImageFiles {
  return {
    path: async (name) => {
      // Names come from the image: none may lead elsewhere.
      if (!beginsImage(name)) return undefined;
      const path = join(directory, name);
      return (await host.files.stat(path))?.kind === "file" ? path : undefined;
    },
  };
}

/** A small file. @throws SilkError `IMAGE_INVALID` */
export async function readDocument(
  host: Host,
  files: ImageFiles,
  name: string,
): Promise<Uint8Array | undefined> {
  const path = await files.path(name);
  if (path === undefined) return undefined;
  const stat = await host.files.stat(path);
  if (stat === undefined || stat.sizeBytes > largestDocumentBytes)
    throw imageInvalid(`${name} is larger than ${largestDocumentBytes} bytes`);
  return await host.files.readRange(path, 0, stat.sizeBytes);
}
