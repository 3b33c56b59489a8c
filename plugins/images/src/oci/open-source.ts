import { join } from "node:path";
import { type CallOptions, type Host, isSilkError, SilkError } from "@silkvm/core";
import { ByteSource } from "@silkvm/storage";
import { readFile } from "../files/read-file.ts";
import { isXz, unxzInto } from "../files/unxz.ts";
import { readLayer } from "../layers/read-layer.ts";
import { unpackImageArchive } from "./archive-files.ts";
import type { ImageContents } from "./contents.ts";
import { decompressLayer } from "./decompress.ts";
import { directoryFiles } from "./image-files.ts";
import { beginsImage } from "./known-files.ts";
import { openLocalImage } from "./local-contents.ts";
import { openRootfs } from "./rootfs-contents.ts";

/** What can only be a disk. */
export interface DiskSource {
  /** The file, or what was unpacked of it. */
  readonly diskPath: string;
}

/**
 * Finds out what a path of this machine is, by its content: an OCI layout, an archive of images, a root directory as a tar, or else a disk.
 * @throws SilkError `FILE_NOT_FOUND`, `NOT_AN_IMAGE`, …
 */
export async function openSource(
  host: Host,
  path: string,
  request: CallOptions & {
    readonly what: string;
    readonly select?: string | undefined;
    readonly architecture: string;
    /** A directory of the caller's own. */
    readonly directory: string;
    readonly mostBytes: number;
  },
): Promise<ImageContents | DiskSource> {
  const { what, signal, mostBytes } = request;
  const stat = await host.files.stat(path);
  if (stat === undefined)
    throw new SilkError(`there is no ${what}`, { code: "FILE_NOT_FOUND", kind: "not-found" });
  if (stat.kind === "directory")
    return await openLocalImage(host, directoryFiles(host, path), request);
  if (stat.kind !== "file")
    throw new SilkError(`${what} is a ${stat.kind}`, { code: "NOT_A_FILE", kind: "invalid" });
  // A symlink that the user names is the user's to follow.
  const given = await host.files.realpath(path);
  const real = (await isXz(host, given))
    ? await unxzInto(host, given, request.directory, { what, mostBytes, signal })
    : given;
  const first = await firstEntry(host, real);
  if (first === undefined) return { diskPath: real };
  if (!beginsImage(first)) return await openRootfs(host, real, request);
  const directory = join(request.directory, "archive");
  await host.files.mkdir(directory, { mode: 0o700 });
  const archive = decompressLayer(readFile(host, real, { signal }));
  const files = await unpackImageArchive(host, archive, directory, { signal, mostBytes });
  return await openLocalImage(host, files, request);
}

/** The path of the first thing in a tar; undefined for what is no tar. */
async function firstEntry(host: Host, path: string): Promise<string | undefined> {
  const chunks = decompressLayer(readFile(host, path));
  try {
    for await (const entry of readLayer(new ByteSource(chunks)))
      if (entry.path !== "") return entry.path;
    return undefined;
  } catch (error) {
    if (isSilkError(error) && (error.code === "ARCHIVE_INVALID" || error.code === "LAYER_INVALID"))
      return undefined;
    throw error;
  } finally {
    await chunks.return(undefined);
  }
}
