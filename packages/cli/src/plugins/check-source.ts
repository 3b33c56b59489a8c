import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type HostFiles, SilkError } from "@silkvm/core";
import { pluginInvalid } from "./plugin-invalid.ts";
import { readPackage } from "./read-package.ts";

/**
 * Looks at what is to be installed from this machine before npm does, which says little of what is wrong, and tries a tarball that is none for minutes.
 * @throws SilkError `FILE_NOT_FOUND`, `PLUGIN_INVALID`
 */
export async function checkSource(files: HostFiles, path: string): Promise<void> {
  const stat = await files.stat(path);
  if (stat === undefined)
    throw new SilkError(`there is no ${path}`, {
      code: "FILE_NOT_FOUND",
      kind: "not-found",
      hint: "Name a tarball that `npm pack` has made, the directory of a package, or a package of the registry.",
    });
  if (stat.kind === "directory") {
    const { name } = await readPackage(files, path);
    if (typeof name !== "string" || name === "")
      throw invalid(`${path} is no package: its package.json has no name`);
  } else if (!(await isTarball(path))) throw invalid(`${path} is no whole tarball of a package`);
}

const gzipMagic = 0x1f8b;
const tarMagic = { offset: 257, text: "ustar" };

/** Whether it is a tar archive, and where it is packed, whether its end is there. */
async function isTarball(path: string): Promise<boolean> {
  const head = Buffer.alloc(2);
  {
    await using file = await open(path);
    await file.read(head, 0, head.length, 0);
  }
  const raw = createReadStream(path);
  const content: Readable = head.readUInt16BE() === gzipMagic ? raw.pipe(createGunzip()) : raw;
  raw.on("error", (error) => content.destroy(error));
  let start = Buffer.alloc(0);
  try {
    for await (const chunk of content as AsyncIterable<Buffer>)
      if (start.length < 512) start = Buffer.concat([start, chunk]);
  } catch {
    return false;
  }
  return start.toString("latin1", tarMagic.offset, tarMagic.offset + 5) === tarMagic.text;
}

function invalid(message: string): SilkError {
  return pluginInvalid(message, { hint: "`npm pack` in the directory of a package makes one." });
}
