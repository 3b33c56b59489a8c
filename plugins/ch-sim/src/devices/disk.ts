import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";

import type { DiskConfig, ImageType } from "../config/types.ts";
import { fromNode, VmmError } from "../errors.ts";
import { loadedSys } from "../host/native.ts";
import { log } from "../log.ts";
import { quote } from "../json/content.ts";
import { blockError, shortRead } from "./block-error.ts";
import { openQcow2, QCOW2_MAGIC } from "./qcow2.ts";
import type { Permits } from "../vm/landlock.ts";

const SECTOR = 512;
const VHDX_SIGNATURE = "vhdxfile";
const VHDX_HEADER_START = 64 * 1024;
const VHDX_HEADER_BYTES = 4096;
const VHDX_HEADER_SIGNATURE = "head";
const VHD_COOKIE = "conectix";

/** How the API writes an image type, by how the config does. */
const SHOWN: Readonly<Record<ImageType, string>> = {
  FixedVhd: "vhd",
  Qcow2: "qcow2",
  Raw: "raw",
  Vhdx: "vhdx",
  Unknown: "unknown",
};

/** A disk image that is open, and locked while a VM runs on it. */
export class Disk {
  readonly id: string;
  readonly path: string;
  readonly readonly: boolean;
  readonly serial: string | undefined;
  readonly type: ImageType;
  readonly #fd: number;
  readonly #wholeFile: boolean;
  readonly #backed: boolean;
  #bytes: number;
  #open = true;

  private constructor(
    config: DiskConfig,
    id: string,
    path: string,
    image: {
      readonly fd: number;
      readonly type: ImageType;
      readonly bytes: number;
      readonly backed: boolean;
    },
  ) {
    this.id = id;
    this.path = path;
    this.readonly = config.readonly;
    this.serial = config.serial;
    this.type = image.type;
    this.#fd = image.fd;
    this.#bytes = image.bytes;
    this.#backed = image.backed;
    this.#wholeFile = config.lock_granularity === "Full";
  }

  /**
   * Opens the image that a config names. As the real program does, it writes what it found out into the config: the type of
   * an image whose type was not given. Throws a VmmError.
   */
  static open(config: DiskConfig, id: string, permitted: Permits): Disk {
    const { path } = config;
    if (path === undefined)
      throw new VmmError("NoDiskPath", "No disk path was specified when one was expected");
    const fd = openImage(config, path, permitted);
    try {
      const image = inspect(fd, config, path);
      settleType(config, image.type);
      return new Disk(config, id, path, { fd, ...image });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** The size that the guest sees, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the lock: shared for a read-only disk, else exclusive. Throws a VmmError where another VM is in the way. */
  lock(): void {
    const range = { start: 0, length: this.#wholeFile ? 0 : this.#bytes };
    const type = this.readonly ? "Read" : "Write";
    const { tryLockRange, queryLock } = loadedSys();
    if (tryLockRange(this.#fd, { ...range, exclusive: !this.readonly })) return;
    const held = queryLock(this.#fd, { ...range, exclusive: true });
    const state =
      held === undefined ? "Unlocked" : held.exclusive ? "ExclusiveWrite" : "SharedRead";
    log(
      "vmm",
      "ERROR",
      "virtio-devices/src/block.rs:1032",
      `Can't get ${type} lock for ${this.path} as there is already a ${state} lock`,
    );
    throw new VmmError(
      "LockDiskImage",
      `Failed to get ${type} lock for disk image: ${this.path}`,
      new VmmError("AlreadyLocked", "The file is already locked"),
      ` { error: AlreadyLocked, lock_type: ${type}, path: ${quote(this.path)} }`,
    );
  }

  /** Changes the size that the guest sees. Throws a VmmError. */
  resize(bytes: bigint): void {
    if (bytes % BigInt(SECTOR) !== 0n)
      throw new VmmError("InvalidSize", "Disk image size is not a multiple of 512");
    try {
      if (this.type === "Qcow2") this.#resizeQcow2(bytes);
      else ftruncateSync(this.#fd, Number(bytes));
    } catch (error) {
      const source = error instanceof VmmError ? error : rawResizeError(fromNode(error));
      throw new VmmError("DiskResize", "Disk resize failed", source);
    }
    this.#bytes = Number(bytes);
  }

  /** One sector as the guest reads it; of a raw image only. Undefined where there is no such sector. */
  read(sector: number): Buffer | undefined {
    const bytes = Buffer.alloc(SECTOR);
    const count = readSync(this.#fd, bytes, 0, SECTOR, sector * SECTOR);
    return count === SECTOR ? bytes : undefined;
  }

  /** Writes one sector for the guest. False where it cannot be written. */
  write(sector: number, bytes: Buffer): boolean {
    if (this.readonly || (sector + 1) * SECTOR > this.#bytes) return false;
    return writeSync(this.#fd, bytes, 0, SECTOR, sector * SECTOR) === SECTOR;
  }

  /** Closes the image, which also gives its lock back. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }

  #resizeQcow2(bytes: bigint): void {
    const other = (message: string): VmmError =>
      new VmmError("Custom", message, undefined, ` { kind: Other, error: ${quote(message)} }`);
    if (this.#backed)
      throw resizeError("UnsupportedFeature", other("resize not supported with backing files"));
    if (bytes < BigInt(this.#bytes))
      throw resizeError("Io", other("shrinking QCOW2 images is not supported"));
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE(bytes);
    writeSync(this.#fd, size, 0, 8, 24);
  }
}

function resizeError(kind: "Io" | "UnsupportedFeature", cause: VmmError): VmmError {
  return blockError(kind, new VmmError("ResizeError", "Failed to resize disk", cause), {
    op: "Resize",
  });
}

function rawResizeError(cause: VmmError): VmmError {
  return blockError("Io", new VmmError("ResizeError", "Resize failed", cause), {});
}

function openImage(config: DiskConfig, path: string, permitted: Permits): number {
  try {
    if (!permitted(path, !config.readonly))
      throw Object.assign(new Error("landlock"), { code: "EACCES" });
    const flags = config.readonly ? constants.O_RDONLY : constants.O_RDWR;
    // A file system without direct I/O refuses here, as it would refuse the real program; reading below needs no alignment.
    if (config.direct) closeSync(openSync(path, flags | constants.O_DIRECT));
    return openSync(path, flags);
  } catch (error) {
    throw blockError("Io", fromNode(error), { path, op: "Open" });
  }
}

function inspect(
  fd: number,
  config: DiskConfig,
  path: string,
): { type: ImageType; bytes: number; backed: boolean } {
  const start = Buffer.alloc(SECTOR);
  if (readSync(fd, start, 0, SECTOR, 0) < SECTOR)
    throw blockError("Io", shortRead(), { op: "DetectImageType" });
  const stat = fstatSync(fd);
  if (!stat.isFile() && !stat.isBlockDevice()) {
    const message = `disk image must be a regular file or block device, is: FileType { is_file: false, is_dir: ${stat.isDirectory()}, is_symlink: false, .. }`;
    const detail = ` { kind: Other, error: ${quote(message)} }`;
    const cause = new VmmError("Custom", message, undefined, detail);
    throw blockError("Io", cause, { op: "DetectImageType" });
  }
  if (start.readUInt32BE(0) === QCOW2_MAGIC) {
    const image = openQcow2(fd, path, config.backing_files);
    return { type: "Qcow2", bytes: image.virtualBytes, backed: image.backing !== undefined };
  }
  const bytes = fstatSync(fd).size;
  const end = Buffer.alloc(SECTOR);
  readSync(fd, end, 0, SECTOR, Math.max(0, bytes - SECTOR));
  const isVhd = end.toString("latin1", 0, 8) === VHD_COOKIE && end.readUInt32BE(60) === 2;
  if (isVhd) return { type: "FixedVhd", bytes: Number(end.readBigUInt64BE(48)), backed: false };
  if (start.toString("latin1", 0, 8) !== VHDX_SIGNATURE)
    return { type: "Raw", bytes, backed: false };
  checkVhdx(fd, path);
  return { type: "Vhdx", bytes, backed: false };
}

/** Whether a VHDX has the header that stands behind its first 64 KiB. */
function checkVhdx(fd: number, path: string): void {
  const header = Buffer.alloc(VHDX_HEADER_BYTES);
  const count = readSync(fd, header, 0, VHDX_HEADER_BYTES, VHDX_HEADER_START);
  if (count === VHDX_HEADER_BYTES && header.toString("latin1", 0, 4) === VHDX_HEADER_SIGNATURE)
    return;
  const short = shortRead();
  const [fault, detail] =
    count < VHDX_HEADER_BYTES
      ? [
          new VmmError("ReadHeader", `Failed to read headers ${short.message}`, short),
          `(ReadHeader(${short.name}${short.detail}))`,
        ]
      : [new VmmError("InvalidHeaderSign", "Not a valid VHDx header"), "(InvalidHeaderSign)"];
  const parse = new VmmError("ParseVhdxHeader", "Failed to parse VHDx header", fault, detail);
  throw blockError("InvalidFormat", parse, { path, op: "Open" });
}

function settleType(config: DiskConfig, detected: ImageType): void {
  const warn = (line: number, message: string) =>
    log("vmm", "WARN", `vmm/src/device_manager.rs:${line}`, message);
  if (config.image_type === "Unknown") {
    warn(
      2756,
      "DEPRECATION: auto-detection of disk image type is deprecated and will be removed in a future release. Please specify image type explicitly.",
    );
    warn(
      2761,
      `No image_type specified - detected as ${SHOWN[detected]}. Configuration updated to persist type across reboots and migrations.`,
    );
    if (detected === "Raw" || detected === "FixedVhd") {
      warn(2769, `Autodetected ${SHOWN[detected]} image type. Disabling sector 0 writes.`);
    }
    if (detected === "Qcow2") config.backing_files = false;
    config.image_type = detected;
  } else if (config.image_type !== detected) {
    throw new VmmError(
      "DiskImageTypeMismatch",
      `Disk image type does not match expected type: specified = ${SHOWN[config.image_type]}, detected = ${SHOWN[detected]}`,
      undefined,
      ` { specified: ${config.image_type}, detected: ${detected} }`,
    );
  }
}
