import { join } from "node:path";
import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { readImageHeader, runTool, type Tool } from "@silkvm/storage";
import { shown, tooLarge } from "../errors.ts";
import { readFile } from "../files/read-file.ts";
import { SequentialWriter } from "../files/sequential-writer.ts";
import { isXz, unxzInto } from "../files/unxz.ts";
import { decompressLayer } from "../oci/decompress.ts";

const qemuImg: Tool = {
  command: "qemu-img",
  missingCode: "QEMU_IMG_NOT_FOUND",
  failedCode: "QEMU_IMG_FAILED",
  debianPackage: "qemu-utils",
};
const timeoutMs = 4 * 3_600_000;
/** More than the largest disk that anybody makes an image of. */
const largestDiskBytes = 64 * 1024 ** 4;

export interface MakeDiskRequest extends CallOptions {
  /** A qcow2 or raw image, as it is or compressed. It is only read. */
  readonly sourcePath: string;
  /** What people call it, for messages. */
  readonly what: string;
  /** A directory of the caller's own. */
  readonly directory: string;
  readonly diskPath: string;
  /** The most that a compressed image may unpack to. */
  readonly unpackedBytes: number;
}

export interface MadeDisk {
  readonly virtualSizeBytes: number;
  readonly sourceFormat: "raw" | "qcow2";
}

/**
 * Makes a raw disk of an image, with holes where the disk is empty; a qcow2 is checked first. No other file is ever read because an image says so.
 * @throws SilkError `NOT_A_DISK_IMAGE`, `IMAGE_DAMAGED`, `IMAGE_TOO_LARGE`, `QEMU_IMG_NOT_FOUND`, `QEMU_IMG_FAILED`, `DISK_FULL`
 */
export async function makeDisk(host: Host, request: MakeDiskRequest): Promise<MadeDisk> {
  const { what, signal, diskPath } = request;
  const sourcePath = await decompressed(host, request);
  const header = await readImageHeader(host, sourcePath);
  if (header.format !== "raw" && header.format !== "qcow2")
    throw notADisk(
      what,
      `it is a ${header.format} image`,
      `Convert it: qemu-img convert -O qcow2 IMAGE IMAGE.qcow2`,
    );
  if (header.backingFile !== undefined || header.externalData === true)
    throw notADisk(
      what,
      "a part of it is in another file",
      "Make it whole: qemu-img convert -O qcow2 IMAGE WHOLE.qcow2",
    );
  if (header.encrypted === true) throw notADisk(what, "it is encrypted");
  if ((header.virtualSizeBytes ?? 0) > largestDiskBytes) throw tooLarge(what, largestDiskBytes);
  if (header.format === "raw") await checkRaw(host, sourcePath, what);
  else await checkQcow2(host, sourcePath, what, signal);
  const args = ["convert", "-f", header.format, "-O", "raw", "-S", "4k", sourcePath, diskPath];
  await runTool(host, qemuImg, args, `converting ${what}`, { signal, timeoutMs });
  const stat = await host.files.stat(diskPath);
  return { virtualSizeBytes: stat?.sizeBytes ?? 0, sourceFormat: header.format };
}

async function checkQcow2(host: Host, path: string, what: string, signal: AbortSignal | undefined) {
  const args = ["check", "-q", "-f", "qcow2", path];
  try {
    await runTool(host, qemuImg, args, `checking ${what}`, { signal, timeoutMs });
  } catch (error) {
    const { details } = error as { details?: { exitCode?: unknown } };
    // Clusters that nobody uses do no harm.
    if (details?.exitCode === 3) return;
    if (details?.exitCode !== 2 && details?.exitCode !== 1) throw error;
    throw new SilkError(`${what} is a damaged qcow2 image`, {
      code: "IMAGE_DAMAGED",
      kind: "invalid",
      hint: "Download it again, or ask whoever made it.",
      cause: error,
    });
  }
}

/** A raw image has no header of its own: what a firmware needs to boot from it must be there. */
async function checkRaw(host: Host, path: string, what: string): Promise<void> {
  const head = Buffer.from(await host.files.readRange(path, 0, 1024));
  const hasBootSector = head.length >= 512 && head.readUInt16LE(510) === 0xaa55;
  if (hasBootSector || head.toString("latin1", 512, 520) === "EFI PART") return;
  const begins = head.toString("latin1", 0, 40).trim();
  throw notADisk(
    what,
    /^<|^\{/.test(begins)
      ? `it begins with ${shown(begins.slice(0, 20))}, as a web page would`
      : "it is neither a qcow2 image nor a raw disk with partitions",
    "See that the URL or the path is that of the image itself.",
  );
}

function notADisk(what: string, why: string, hint?: string): SilkError {
  return new SilkError(`${what} is no disk image: ${why}`, {
    code: "NOT_A_DISK_IMAGE",
    kind: "invalid",
    hint,
  });
}

async function decompressed(host: Host, request: MakeDiskRequest): Promise<string> {
  const { sourcePath, what, directory, unpackedBytes, signal } = request;
  if (await isXz(host, sourcePath))
    return await unxzInto(host, sourcePath, directory, { what, mostBytes: unpackedBytes, signal });
  const head = Buffer.from(await host.files.readRange(sourcePath, 0, 8));
  const magic = head.toString("latin1");
  if (magic.startsWith("BZh") || magic.startsWith("PK\x03\x04"))
    throw notADisk(
      what,
      "it is compressed in a way that is not supported",
      "Unpack it first, or compress it with xz, zstd or gzip.",
    );
  const isCompressed =
    magic.startsWith("\x1f\x8b") || (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528);
  if (!isCompressed) return sourcePath;
  const path = join(directory, "unpacked");
  await using file = await host.files.open(path, "create");
  const writer = new SequentialWriter(file);
  for await (const chunk of decompressLayer(readFile(host, sourcePath, { signal }))) {
    signal?.throwIfAborted();
    if (writer.position + chunk.length > unpackedBytes) throw tooLarge(what, unpackedBytes);
    await writer.write(chunk);
  }
  await writer.finish();
  return path;
}
