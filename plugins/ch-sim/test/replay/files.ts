import { closeSync, existsSync, ftruncateSync, openSync, writeFileSync, writeSync } from "node:fs";
import { basename } from "node:path";

const MIB = 1024 * 1024;

/** What is known of a disk that a recording names. */
export interface DiskNeed {
  readonly qcow2: boolean;
  readonly backing: boolean;
}

/** Makes a plausible disk, unless there is one. */
export function makeDisk(path: string, need: DiskNeed): void {
  if (existsSync(path)) return;
  if (need.qcow2) {
    writeFileSync(path, qcow2(128 * MIB, need.backing ? backingFor(path) : undefined));
    return;
  }
  const fd = openSync(path, "w");
  ftruncateSync(fd, path.endsWith(".erofs") ? 4096 : 64 * MIB);
  closeSync(fd);
}

/** Makes the disk below an overlay, and says how the overlay names it: beside it. */
function backingFor(path: string): string {
  const backing = path.replace(/[^/]*$/, "replay-backing.qcow2");
  if (!existsSync(backing)) writeFileSync(backing, qcow2(128 * MIB, undefined));
  return basename(backing);
}

/** The smallest file that is a qcow2 disk: the header of version 3, an empty L1 table, and reference counts. */
function qcow2(sizeBytes: number, backing: string | undefined): Buffer {
  const cluster = 65_536;
  const file = Buffer.alloc(4 * cluster);
  file.write("QFI\xfb", 0, "latin1");
  file.writeUInt32BE(3, 4);
  if (backing !== undefined) {
    file.writeBigUInt64BE(512n, 8);
    file.writeUInt32BE(backing.length, 16);
    file.write(backing, 512);
  }
  file.writeUInt32BE(16, 20);
  file.writeBigUInt64BE(BigInt(sizeBytes), 24);
  file.writeUInt32BE(1, 36);
  file.writeBigUInt64BE(BigInt(3 * cluster), 40);
  file.writeBigUInt64BE(BigInt(cluster), 48);
  file.writeUInt32BE(1, 56);
  file.writeUInt32BE(4, 96);
  file.writeUInt32BE(104, 100);
  if (backing !== undefined) {
    file.writeUInt32BE(0xe2_79_2a_ca, 104);
    file.writeUInt32BE(5, 108);
    file.write("qcow2", 112);
  }
  file.writeBigUInt64BE(BigInt(2 * cluster), cluster);
  for (let index = 0; index < 4; index++) file.writeUInt16BE(1, 2 * cluster + index * 2);
  return file;
}

/** Makes a file that starts as a kernel does, unless there is one. */
export function makeKernel(path: string): void {
  if (existsSync(path)) return;
  const header = Buffer.alloc(4096);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  writeFileSync(path, header);
}

/** Makes any file, unless there is one. */
export function makeFile(path: string, sizeBytes: number): void {
  if (existsSync(path)) return;
  const fd = openSync(path, "w");
  writeSync(fd, Buffer.alloc(sizeBytes, "x"));
  closeSync(fd);
}
