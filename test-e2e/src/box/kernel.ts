import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { unpackLz4 } from "./lz4.ts";

/** A distribution's kernel with its modules. */
export interface Kernel {
  /** Such as `6.1.0-56-cloud-amd64`. */
  readonly release: string;
  /** The file that a boot loader loads. */
  readonly path: string;
  readonly modulesDir: string;
}

/** The newest kernel in /boot whose modules are here; one made for VMs goes first. */
export function findKernel(): Kernel | undefined {
  if (!existsSync("/boot")) return undefined;
  return readdirSync("/boot")
    .filter((name) => name.startsWith("vmlinuz-"))
    .map((name) => name.slice("vmlinuz-".length))
    .map((release) => ({
      release,
      path: `/boot/vmlinuz-${release}`,
      modulesDir: `/lib/modules/${release}`,
    }))
    .filter(({ modulesDir }) => existsSync(`${modulesDir}/modules.dep`))
    .sort((a, b) => rank(a.release) - rank(b.release) || newerFirst(a.release, b.release))[0];
}

function rank(release: string): number {
  return release.includes("cloud") ? 0 : 1;
}

function newerFirst(a: string, b: string): number {
  return b.localeCompare(a, "en", { numeric: true });
}

/** Where the boot protocol's header of a bzImage has what (Documentation/x86/boot.rst). */
const header = { sectors: 0x1f1, magic: 0x202, payloadOffset: 0x248, payloadLength: 0x24c };
const sectorBytes = 512;

/**
 * The ELF program in a bzImage: what a VMM boots by PVH, without the minutes that an emulated CPU needs to unpack it.
 * Throws where the file is no bzImage, or packed in a way that is not known here.
 */
export function vmlinuxOf({ path }: Kernel): Buffer {
  const image = readFileSync(path);
  if (image.toString("latin1", header.magic, header.magic + 4) !== "HdrS")
    throw new Error(`${path} is not a bzImage`);
  const start =
    ((image[header.sectors] || 4) + 1) * sectorBytes + image.readUInt32LE(header.payloadOffset);
  const payload = image.subarray(start, start + image.readUInt32LE(header.payloadLength));
  const elf = unpack(payload, path);
  if (elf.toString("latin1", 0, 4) !== "\x7fELF") throw new Error(`${path} holds no ELF program`);
  return elf;
}

function unpack(payload: Buffer, path: string): Buffer {
  const start = payload.toString("hex", 0, 6);
  // The last four bytes are the size of the whole, and no part of what was packed.
  const packed = payload.subarray(0, -4);
  if (start.startsWith("28b52ffd")) return zstdDecompressSync(packed);
  if (start.startsWith("1f8b")) return gunzipSync(packed);
  if (start.startsWith("02214c18")) return unpackLz4(packed);
  if (start === "fd377a585a00")
    return execFileSync("xz", ["--decompress", "--stdout", "--single-stream"], {
      input: packed,
      maxBuffer: 2 ** 30,
      timeout: 60_000,
    });
  throw new Error(`${path} is packed in an unknown way (${start})`);
}
