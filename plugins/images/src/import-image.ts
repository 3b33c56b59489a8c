import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { SilkError } from "@silkvm/core";
import { importDisk } from "./cloudimg/pull-disk.ts";
import { spool } from "./files/spool.ts";
import type { ImagesContext } from "./images-context.ts";
import type { ImportOptions, PullResult } from "./images-options.ts";
import { diskContext, keepDisk, keepLayers } from "./keep-image.ts";
import { openSource } from "./oci/open-source.ts";
import { parseReference } from "./reference.ts";

/**
 * Takes an image from a file, a directory or a stream of this machine.
 * @param what the source as messages call it
 */
export async function importImage(
  context: ImagesContext,
  source: string | Readable,
  what: string,
  options: ImportOptions,
): Promise<PullResult> {
  const { host, blobs, architecture, limits } = context;
  await using _use = await blobs.use(options);
  await using work = await blobs.work(options);
  const path =
    typeof source === "string"
      ? resolve(source)
      : await spool(host, source, join(work.path, "input"), options);
  const opened = await openSource(host, path, {
    what,
    select: options.select,
    architecture,
    directory: work.path,
    mostBytes: limits.unpackedBytes,
    signal: options.signal,
  });
  const [own] = "diskPath" in opened ? [] : opened.names.filter((name) => /[:/]/.test(name));
  const name = options.name ?? own;
  if (name === undefined)
    throw new SilkError(`${what} does not tell its name`, {
      code: "NAME_MISSING",
      kind: "invalid",
      hint: "Give it one: --name NAME",
    });
  const ref = parseReference(name).name;
  if (!("diskPath" in opened)) {
    await using contents = opened;
    return await keepLayers(context, contents, { ref, source: what }, options);
  }
  const { diskPath } = opened;
  const request = { path, diskPath, ref, source: what, digest: options.checksum };
  return await keepDisk(context, await importDisk(diskContext(context, options), request), options);
}
