import { join } from "node:path";
import { type CallOptions, type Host, isSilkError } from "@silkvm/core";
import { ByteSource } from "@silkvm/storage";
import { imageInvalid, shown, tooLarge } from "../errors.ts";
import { SequentialWriter } from "../files/sequential-writer.ts";
import { readLayer } from "../layers/read-layer.ts";
import type { ImageFiles } from "./image-files.ts";
import { beginsImage } from "./known-files.ts";

const mostFiles = 4096;

/**
 * Unpacks the archive of an image into a directory of the caller's own, under names of its own.
 * @throws SilkError `IMAGE_INVALID` for what has no place in one, or is damaged; `IMAGE_TOO_LARGE`
 */
export async function unpackImageArchive(
  host: Host,
  archive: AsyncIterable<Uint8Array>,
  directory: string,
  { signal, mostBytes }: CallOptions & { readonly mostBytes: number },
): Promise<ImageFiles> {
  const paths = new Map<string, string>();
  const links = new Map<string, string>();
  const chunks = archive[Symbol.asyncIterator]();
  try {
    await unpack(host, new ByteSource(chunks), directory, { signal, mostBytes }, paths, links);
  } catch (error) {
    if (!isSilkError(error) || error.code !== "ARCHIVE_INVALID") throw error;
    throw imageInvalid(error.message, {
      hint: "See that all of it has arrived, or save the image once more.",
      cause: error,
    });
  } finally {
    await chunks.return?.();
  }
  return {
    path: async (name) => paths.get(name) ?? paths.get(links.get(name) ?? ""),
  };
}

async function unpack(
  host: Host,
  source: ByteSource,
  directory: string,
  { signal, mostBytes }: CallOptions & { readonly mostBytes: number },
  paths: Map<string, string>,
  links: Map<string, string>,
): Promise<void> {
  let bytes = 0;
  for await (const { path, inode, linkTo, map, storedBytes } of readLayer(source)) {
    signal?.throwIfAborted();
    if (!beginsImage(path))
      throw imageInvalid(`the archive has ${shown(path)} in it, and is no image`);
    if (paths.size > mostFiles) throw imageInvalid(`the archive has more than ${mostFiles} files`);
    if (linkTo !== undefined) links.set(path, linkTo);
    // Docker once wrote a layer that comes twice as a symlink.
    else if (inode.kind === "symlink") links.set(path, join(path, "..", inode.target ?? ""));
    else if (inode.kind === "file") {
      bytes += inode.sizeBytes;
      if (bytes > mostBytes) throw tooLarge("the archive", mostBytes);
      const filePath = join(directory, `file-${paths.size}`);
      await using file = await host.files.open(filePath, "create");
      const writer = new SequentialWriter(file);
      let position = 0;
      for (const { start, length } of map.pieces()) {
        await writer.zeros(start - position);
        for (let left = length; left > 0;) {
          const some = await source.need(left);
          await writer.write(some);
          left -= some.length;
        }
        position = start + length;
      }
      await writer.zeros(inode.sizeBytes - position);
      await writer.finish();
      paths.set(path, filePath);
      continue;
    }
    for (let left = storedBytes; left > 0;) left -= (await source.need(left)).length;
  }
}
