import { isSilkError } from "@silkvm/core";
import {
  blockBytes,
  type ByteSource,
  paddingOf,
  parseHeader,
  parsePax,
  type PaxRecords,
  paxValue,
  readNumber,
  readSparse,
  SparseMap,
  type TarHeader,
} from "@silkvm/storage";
import { layerInvalid, shown } from "../errors.ts";
import type { Inode, InodeKind } from "./inode.ts";

/** An entry of a layer's archive. The data of a file comes next from the source: all of it is the caller's to take. */
export interface LayerEntry {
  /** Without dots, and without a slash at its ends; empty for the root. One byte a character. */
  readonly path: string;
  readonly inode: Inode;
  /** The path that a hard link is one more name of. */
  readonly linkTo?: string | undefined;
  /** Bytes of data in the archive, and where they belong in the file. */
  readonly storedBytes: number;
  readonly map: SparseMap;
}

const kinds: Readonly<Record<string, InodeKind | "link">> = {
  "0": "file",
  "7": "file",
  S: "file",
  "1": "link",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};
const mostHeaderBytes = 1024 ** 2;
const longestPath = 4096;
const longestName = 255;
const xattrPrefix = "SCHILY.xattr.";
/** One for all files that have none: of a million files little else is remembered. */
const noXattrs: Inode["xattrs"] = {};

/**
 * The entries of a layer, up to the archive's end. Understands POSIX's headers (ustar, pax) and GNU's. Every path is checked: none leads
 * out of the image's root.
 * @throws SilkError `LAYER_INVALID`
 */
export async function* readLayer(source: ByteSource): AsyncGenerator<LayerEntry> {
  let pax: PaxRecords = [];
  let longName: string | undefined;
  let longLink: string | undefined;
  for (;;) {
    const block = await source.take(blockBytes);
    // An archive that just ends is taken as one by every engine.
    if (block === undefined || block.every((byte) => byte === 0)) return;
    const header = parseHeader(block);
    if ("xgLKV".includes(header.type)) {
      if (header.sizeBytes > mostHeaderBytes) throw layerInvalid("it has a header of over 1 MiB");
      const content = await source.needAll(header.sizeBytes);
      await source.needAll(paddingOf(header.sizeBytes));
      if (header.type === "x") pax = parsePax(content, "latin1");
      else if (header.type === "L") longName = upToNul(content);
      else if (header.type === "K") longLink = upToNul(content);
      continue;
    }
    const entry = await toEntry(source, header, pax, longName, longLink);
    pax = [];
    longName = undefined;
    longLink = undefined;
    if (entry === undefined) continue;
    yield entry;
    await source.needAll(paddingOf(entry.storedBytes));
  }
}

async function toEntry(
  source: ByteSource,
  header: TarHeader,
  pax: PaxRecords,
  longName: string | undefined,
  longLink: string | undefined,
): Promise<LayerEntry | undefined> {
  const raw =
    paxValue(pax, "GNU.sparse.name") ?? paxValue(pax, "path") ?? longName ?? nameOf(header.block);
  const known = kinds[header.type];
  if (known === undefined)
    throw layerInvalid(`${shown(raw)} is of the kind ${JSON.stringify(header.type)}`);
  // The first archives had no kind for directories.
  const kind = known === "file" && raw.endsWith("/") ? "directory" : known;
  const path = checkedPath(raw);
  const sizes = await dataOf(source, header, pax, kind);
  const link = paxValue(pax, "linkpath") ?? longLink ?? upToNul(header.block.subarray(157, 257));
  if (kind === "symlink" && (link === "" || link.length > longestPath))
    throw layerInvalid(`the symlink ${shown(path)} leads nowhere`);
  const inode: Inode = {
    kind: kind === "link" ? "file" : kind,
    mode: readNumber(header.block, 100, 8) & 0o7777,
    uid: idOf(pax, "uid", header.block, 108),
    gid: idOf(pax, "gid", header.block, 116),
    mtime: mtimeOf(pax, header.block),
    xattrs: xattrsOf(pax, path),
    sizeBytes: kind === "file" ? sizes.sizeBytes : 0,
    ...(kind === "symlink" ? { target: link } : {}),
    ...(kind === "char" || kind === "block"
      ? {
          device: {
            major: readNumber(header.block, 329, 8),
            minor: readNumber(header.block, 337, 8),
          },
        }
      : {}),
  };
  const linkTo = kind === "link" ? checkedPath(link) : undefined;
  return { path, inode, linkTo, storedBytes: sizes.storedBytes, map: sizes.map };
}

async function dataOf(
  source: ByteSource,
  header: TarHeader,
  pax: PaxRecords,
  kind: InodeKind | "link",
) {
  const text = paxValue(pax, "size");
  const storedBytes = text === undefined ? header.sizeBytes : Number(text);
  if (!Number.isSafeInteger(storedBytes) || storedBytes < 0)
    throw layerInvalid("a file in it has no size");
  if (kind !== "file") {
    // Some archives tell the size of the file that a hard link is a name of; no data comes with it.
    return { sizeBytes: 0, storedBytes: 0, map: new SparseMap(0) };
  }
  const sparse = await readSparse(source, header, storedBytes, pax);
  if (sparse === undefined) {
    const map = new SparseMap(storedBytes);
    map.add(0, storedBytes);
    return { sizeBytes: storedBytes, storedBytes, map };
  }
  if (sparse.map.dataBytes !== sparse.storedBytes)
    throw layerInvalid("a sparse file in it has not as much data as it tells");
  return sparse;
}

/** @throws SilkError `LAYER_INVALID` for what leads out of the root, or cannot be a name */
function checkedPath(raw: string): string {
  const names = raw.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw layerInvalid(`the path ${shown(raw)} leads out of the image`);
  if (raw.includes("\0")) throw layerInvalid(`the path ${shown(raw)} has a NUL byte`);
  if (names.some((name) => name.length > longestName) || raw.length > longestPath)
    throw layerInvalid(`the path ${shown(raw)} is too long`);
  return names.join("/");
}

function nameOf(block: Buffer): string {
  const name = upToNul(block.subarray(0, 100));
  // GNU's own headers have other things where POSIX has the beginning of a long name.
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? upToNul(block.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function upToNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
}

function idOf(pax: PaxRecords, key: string, block: Buffer, offset: number): number {
  const text = paxValue(pax, key);
  const id = text === undefined ? readNumber(block, offset, 8) : Number(text);
  if (Number.isInteger(id) && id >= 0 && id < 2 ** 32) return id;
  throw layerInvalid(`a ${key} in it is out of range`);
}

function mtimeOf(pax: PaxRecords, block: Buffer): Inode["mtime"] {
  const text = paxValue(pax, "mtime");
  if (text === undefined) return { seconds: signed(block), nanoseconds: 0 };
  const [, sign, whole, fraction = ""] = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined) throw layerInvalid("a time in it is none");
  // Before 1970 the fraction would count backwards: nobody misses it.
  if (sign === "-") return { seconds: -Number(whole), nanoseconds: 0 };
  return { seconds: Number(whole), nanoseconds: Number(fraction.slice(0, 9).padEnd(9, "0")) };
}

function signed(block: Buffer): number {
  if (block[136] === 0xff) return Number(BigInt.asIntN(64, block.readBigUInt64BE(140)));
  try {
    return readNumber(block, 136, 12);
  } catch (error) {
    if (isSilkError(error)) throw layerInvalid("a time in it is none", error);
    throw error;
  }
}

function xattrsOf(pax: PaxRecords, path: string): Readonly<Record<string, string>> {
  if (!pax.some(([key]) => key.startsWith(xattrPrefix))) return noXattrs;
  const xattrs: Record<string, string> = {};
  for (const [key, value] of pax) {
    if (!key.startsWith(xattrPrefix)) continue;
    const name = key.slice(xattrPrefix.length);
    // Those tell overlayfs what to do: only what the layer's whiteouts say may do that.
    if (name.startsWith("trusted.overlay.")) continue;
    if (name.length > longestName || value.length > 65_536)
      throw layerInvalid(`an extended attribute of ${shown(path)} is too large`);
    // In pax an empty value takes a record back.
    if (value === "") delete xattrs[name];
    else xattrs[name] = value;
  }
  return xattrs;
}
