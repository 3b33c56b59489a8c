import { closeSync, fstatSync, openSync, readSync } from "node:fs";

import type { PayloadConfig, VmConfig } from "../config/types.ts";
import { fromNode, VmmError } from "../errors.ts";
import { quote } from "../json/content.ts";
import { uuidFault } from "./uuid.ts";

const HEADER_BYTES = 0x206;
const ELF_HEADER_BYTES = 64;
const LOADED_SEGMENT = 1;
/** What a directory takes itself to be long. */
const ENDLESS = 2n ** 63n - 1n;

/** Whether what is to be booted is there, looks like something that boots, and has room. Throws a VmmError. */
export function checkPayload(payload: PayloadConfig, memoryBytes: bigint): void {
  const path = payload.firmware ?? payload.kernel ?? "";
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw payload.firmware === undefined
      ? new VmmError("KernelFile", "Cannot open kernel file", fromNode(error))
      : new VmmError("FirmwareFile", "Error manipulating firmware file", fromNode(error));
  }
  try {
    if (payload.firmware === undefined) checkCmdline(payload.cmdline ?? "");
    const header = Buffer.alloc(HEADER_BYTES);
    try {
      readSync(fd, header, 0, HEADER_BYTES, 0);
    } catch {
      throw loadError("ReadBzImageHeader", "Unable to read bzImage header");
    }
    if (isElf(header) && fits(fd, header, memoryBytes)) return;
    if (!isBzImage(header)) throw loadError("InvalidBzImage", "Invalid bzImage");
  } finally {
    closeSync(fd);
  }
}

function checkCmdline(cmdline: string): void {
  if (/^[\x20-\x7e]*$/.test(cmdline.trim())) return;
  const words = "String contains a non-printable ASCII character.";
  throw new VmmError(
    "CmdLineInsertStr",
    "Cannot modify the kernel command line",
    new VmmError("InvalidAscii", words),
  );
}

function loadError(name: string, message: string): VmmError {
  const inner = new VmmError(name, `Kernel Loader: ${message}`);
  const middle = new VmmError(
    "Bzimage",
    `Kernel Loader: failed to load bzImage kernel image: ${inner.message}`,
    inner,
  );
  return new VmmError("KernelLoad", "Cannot load the kernel into memory", middle);
}

/** Whether the initial RAM file system, if one is named, can be opened. Throws a VmmError. */
export function checkInitramfs(payload: PayloadConfig | undefined): void {
  if (payload?.initramfs === undefined) return;
  try {
    closeSync(openSync(payload.initramfs, "r"));
  } catch (error) {
    throw new VmmError("InitramfsFile", "Cannot open initramfs file", fromNode(error));
  }
}

/** Whether the initial RAM file system has room below the first hole. Throws a VmmError. */
export function checkInitramfsRoom(payload: PayloadConfig, memoryBytes: bigint): void {
  if (payload.initramfs === undefined) return;
  const fd = openSync(payload.initramfs, "r");
  try {
    const stat = fstatSync(fd);
    const bytes = stat.isDirectory() ? ENDLESS : BigInt(stat.size);
    if (bytes <= memoryBytes) return;
  } finally {
    closeSync(fd);
  }
  throw new VmmError(
    "InitramfsAddress",
    "Cannot determine initramfs load address",
    new VmmError("InitramfsAddress", "Failed to compute initramfs address"),
  );
}

/** Whether what the firmware tables are to tell can be written. Throws a VmmError. */
export function checkPlatform({ platform }: VmConfig): void {
  const uuid = platform?.system_uuid;
  const fault = uuid === undefined ? undefined : uuidFault(uuid);
  if (fault === undefined) return;
  const parse = new VmmError(
    "ParseUuid",
    `Failure to parse uuid: ${uuid}`,
    new VmmError("Error", fault.message),
    `(Error(${fault.detail}), ${quote(uuid ?? "")})`,
  );
  const tables = new VmmError("SmbiosSetup", "Error setting up SMBIOS table", parse);
  const system = new VmmError("PlatformSpecific", "Platform specific error (x86_64)", tables);
  throw new VmmError("ConfigureSystem", "Cannot configure system", system);
}

function isElf(header: Buffer): boolean {
  return header.toString("latin1", 0, 4) === "\u007fELF";
}

/** Whether every segment that an ELF file wants loaded lies in the memory. */
function fits(fd: number, header: Buffer, memoryBytes: bigint): boolean {
  const size = header.readUInt16LE(54);
  const table = Buffer.alloc(size * header.readUInt16LE(56));
  if (size < ELF_HEADER_BYTES - 8) return true;
  readSync(fd, table, 0, table.length, Number(header.readBigUInt64LE(32)));
  for (let at = 0; at + size <= table.length; at += size) {
    if (table.readUInt32LE(at) !== LOADED_SEGMENT) continue;
    if (table.readBigUInt64LE(at + 24) + table.readBigUInt64LE(at + 40) > memoryBytes) return false;
  }
  return true;
}

function isBzImage(header: Buffer): boolean {
  return (
    header.readUInt16LE(0x1fe) === 0xaa55 && header.toString("latin1", 0x202, 0x206) === "HdrS"
  );
}
