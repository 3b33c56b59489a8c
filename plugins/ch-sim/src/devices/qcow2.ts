import { closeSync, openSync, readlinkSync, readSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

import { fromNode, VmmError } from "../errors.ts";
import { quote } from "../json/content.ts";
import { blockError, shortRead } from "./block-error.ts";

const HEADER_BYTES = 112;
const MAX_NESTING = 10;

/** The first bytes of a qcow2 image. */
export const QCOW2_MAGIC = 0x5146_49fb;

/** What the simulator minds of a qcow2 image. */
export interface Qcow2Image {
  readonly virtualBytes: number;
  readonly backing: string | undefined;
}

/** Reads an image's header, and those of its backing files where `backingFiles` allows them. Throws a VmmError. */
export function openQcow2(fd: number, path: string, backingFiles: boolean): Qcow2Image {
  try {
    return parse(fd, backingFiles ? MAX_NESTING : 0);
  } catch (error) {
    if (!(error instanceof Qcow2Fault)) throw error;
    const kind = error.kind === "Overflow" && !backingFiles ? "UnsupportedFeature" : error.kind;
    throw blockError(kind, error.source, { path, op: "Open" });
  }
}

class Qcow2Fault extends Error {
  readonly kind: "Io" | "InvalidFormat" | "UnsupportedFeature" | "Overflow";
  readonly source: VmmError;

  constructor(kind: Qcow2Fault["kind"], source: VmmError) {
    super(source.message);
    this.kind = kind;
    this.source = source;
  }
}

function parse(fd: number, nesting: number): Qcow2Image {
  const header = Buffer.alloc(HEADER_BYTES);
  if (readSync(fd, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) {
    throw new Qcow2Fault("Io", new VmmError("ReadingHeader", "Failed to read header", shortRead()));
  }
  if (header.readUInt32BE(0) !== QCOW2_MAGIC)
    throw new Qcow2Fault("InvalidFormat", new VmmError("InvalidMagic", "Invalid magic"));
  const version = header.readUInt32BE(4);
  if (version !== 2 && version !== 3) {
    const fault = new VmmError(
      "UnsupportedVersion",
      `Unsupported version: ${version}`,
      undefined,
      `(${version})`,
    );
    throw new Qcow2Fault("UnsupportedFeature", fault);
  }
  const backing = backingPath(fd, header);
  if (backing !== undefined) checkBacking(beside(fd, backing), nesting);
  return { virtualBytes: Number(header.readBigUInt64BE(24)), backing };
}

function backingPath(fd: number, header: Buffer): string | undefined {
  const offset = Number(header.readBigUInt64BE(8));
  const length = header.readUInt32BE(16);
  if (offset === 0 || length === 0 || length > 1023) return undefined;
  const name = Buffer.alloc(length);
  readSync(fd, name, 0, length, offset);
  return name.toString("utf8");
}

/** A relative name is looked for beside the image that it stands in. */
function beside(fd: number, backing: string): string {
  if (isAbsolute(backing)) return backing;
  return join(dirname(readlinkSync(`/proc/self/fd/${fd}`)), backing);
}

function checkBacking(path: string, nesting: number): void {
  if (nesting === 0) {
    throw new Qcow2Fault(
      "Overflow",
      new VmmError("MaxNestingDepthExceeded", "Maximum disk nesting depth exceeded"),
    );
  }
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    const source = fromNode(error);
    const message = `Backing file I/O error: ${path}`;
    throw new Qcow2Fault(
      "Io",
      new VmmError(
        "BackingFileIo",
        message,
        source,
        `(${quote(path)}, ${source.name}${source.detail ?? ""})`,
      ),
    );
  }
  try {
    const magic = Buffer.alloc(4);
    readSync(fd, magic, 0, 4, 0);
    if (magic.readUInt32BE(0) === QCOW2_MAGIC && statSync(path).isFile()) parse(fd, nesting - 1);
  } finally {
    closeSync(fd);
  }
}
