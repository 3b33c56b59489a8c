import { blockBytes, paddingOf } from "@silkvm/storage";
import type { SequentialWriter } from "../files/sequential-writer.ts";
import type { Inode } from "./inode.ts";

const types: Readonly<Record<Inode["kind"], string>> = {
  file: "0",
  symlink: "2",
  char: "3",
  whiteout: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** Room for a name in a header block. */
const nameBytes = 100;
const largestOctalSize = 0o77777777777;
const largestOctalId = 0o7777777;

export interface HeaderOptions {
  /** The path that it is one more name of. */
  readonly linkTo?: string | undefined;
  /** Whether a directory hides what lower layers have in theirs. */
  readonly opaque?: boolean | undefined;
}

/**
 * Writes the header of one entry of a tar archive, as both GNU tar and mkfs.erofs read it: long names in GNU's way, which takes them as the
 * bytes that they are; extended attributes and parts of seconds in pax records. A whiteout becomes the device that overlayfs takes for one.
 */
export async function writeHeader(
  writer: SequentialWriter,
  path: string,
  inode: Inode,
  options: HeaderOptions = {},
): Promise<void> {
  const { kind, mtime } = inode;
  const name = kind === "directory" && options.linkTo === undefined ? `${path || "."}/` : path;
  const target = options.linkTo ?? inode.target ?? "";
  const size = kind === "file" && options.linkTo === undefined ? inode.sizeBytes : 0;
  const records = options.linkTo === undefined ? paxRecords(inode, options.opaque === true) : [];
  if (size > largestOctalSize) records.push(["size", String(size)]);
  if (records.length > 0) await writeMember(writer, "x", "pax", Buffer.concat(records.map(toPax)));
  if (target.length > nameBytes)
    await writeMember(writer, "K", "././@LongLink", Buffer.from(`${target}\0`, "latin1"));
  if (name.length > nameBytes)
    await writeMember(writer, "L", "././@LongLink", Buffer.from(`${name}\0`, "latin1"));
  await writer.write(
    headerBlock({
      name,
      target,
      type: options.linkTo === undefined ? types[kind] : "1",
      size: Math.min(size, largestOctalSize),
      mode: inode.mode,
      uid: inode.uid,
      gid: inode.gid,
      seconds: Math.max(mtime.seconds, 0),
      device: inode.device ?? { major: 0, minor: 0 },
    }),
  );
}

/** Fills up a file's data. */
export async function writePadding(writer: SequentialWriter, sizeBytes: number): Promise<void> {
  await writer.write(Buffer.alloc(paddingOf(sizeBytes)));
}

export async function writeEnd(writer: SequentialWriter): Promise<void> {
  await writer.write(Buffer.alloc(2 * blockBytes));
}

type Record_ = readonly [key: string, value: string];

function paxRecords({ xattrs, mtime, uid, gid }: Inode, opaque: boolean): Record_[] {
  const records: Record_[] = [];
  const { seconds, nanoseconds } = mtime;
  // All nine digits: there are readers that take the digits for a number of nanoseconds.
  if (nanoseconds > 0)
    records.push(["mtime", `${seconds}.${String(nanoseconds).padStart(9, "0")}`]);
  else if (seconds > largestOctalSize) records.push(["mtime", String(seconds)]);
  if (uid > largestOctalId) records.push(["uid", String(uid)]);
  if (gid > largestOctalId) records.push(["gid", String(gid)]);
  for (const name of Object.keys(xattrs).sort())
    records.push([`SCHILY.xattr.${name}`, xattrs[name] ?? ""]);
  if (opaque) records.push(["SCHILY.xattr.trusted.overlay.opaque", "y"]);
  return records;
}

function toPax([key, value]: Record_): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`, "latin1");
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length)
    length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

async function writeMember(
  writer: SequentialWriter,
  type: string,
  name: string,
  content: Buffer,
): Promise<void> {
  const plain = { target: "", mode: 0, uid: 0, gid: 0, seconds: 0, device: { major: 0, minor: 0 } };
  await writer.write(headerBlock({ ...plain, name, type, size: content.length }));
  await writer.write(content);
  await writePadding(writer, content.length);
}

function headerBlock(fields: {
  readonly name: string;
  readonly target: string;
  readonly type: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly device: { readonly major: number; readonly minor: number };
}): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, offset: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, "0"), offset, "latin1");
  };
  block.write(fields.name.slice(0, nameBytes), 0, "latin1");
  octal(fields.mode, 100, 8);
  octal(Math.min(fields.uid, largestOctalId), 108, 8);
  octal(Math.min(fields.gid, largestOctalId), 116, 8);
  octal(fields.size, 124, 12);
  octal(Math.min(fields.seconds, largestOctalSize), 136, 12);
  block.write(" ".repeat(8), 148, "latin1");
  block.write(fields.type, 156, "latin1");
  block.write(fields.target.slice(0, nameBytes), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(fields.device.major, 329, 8);
  octal(fields.device.minor, 337, 8);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
