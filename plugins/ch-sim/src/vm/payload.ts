import { closeSync, openSync, readSync } from "node:fs";

import type { PayloadConfig } from "../config/types.ts";
import { fromNode, VmmError } from "../errors.ts";

const HEADER_BYTES = 0x206;

/** Whether what is to be booted is there and looks like something that boots. Throws a VmmError. */
export function checkPayload(payload: PayloadConfig): void {
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
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(fd, header, 0, HEADER_BYTES, 0);
    if (isElf(header) || isBzImage(header)) return;
  } finally {
    closeSync(fd);
  }
  const inner = new VmmError("InvalidBzImage", "Kernel Loader: Invalid bzImage");
  const middle = new VmmError(
    "Bzimage",
    `Kernel Loader: failed to load bzImage kernel image: ${inner.message}`,
    inner,
  );
  throw new VmmError("KernelLoad", "Cannot load the kernel into memory", middle);
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

function isElf(header: Buffer): boolean {
  return header.toString("latin1", 0, 4) === "\u007fELF";
}

function isBzImage(header: Buffer): boolean {
  return (
    header.readUInt16LE(0x1fe) === 0xaa55 && header.toString("latin1", 0x202, 0x206) === "HdrS"
  );
}
