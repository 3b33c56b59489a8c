import { SilkError } from "@silkvm/core";
import { readElf } from "./elf.ts";

/** What a file of a kernel says of itself. */
export interface KernelImage {
  /** `bzimage` boots on every VMM; `elf` where it has an entry for PVH. */
  readonly format: "bzimage" | "elf" | "arm64-image";
  /** As OCI names it. */
  readonly architecture: string;
  /** Such as `6.1.0-56-cloud-amd64`. */
  readonly version: string;
}

/** Where the header of Linux's boot protocol has what: Documentation/arch/x86/boot.rst. */
const bz = { magic: 0x202, protocol: 0x206, version: 0x20e, loadFlags: 0x236, setup: 0x200 };

/** @throws SilkError `KERNEL_INVALID` */
export function readKernelImage(bytes: Buffer, what: string): KernelImage {
  const found = bzImage(bytes) ?? elfImage(bytes) ?? arm64Image(bytes);
  if (found !== undefined && found.version !== "") return found;
  const isPacked = bytes.length > 2 && bytes.readUInt16BE(0) === 0x1f8b;
  throw new SilkError(
    `${what} is no kernel that a VM can boot${isPacked ? ": it is packed by gzip" : ""}`,
    {
      code: "KERNEL_INVALID",
      kind: "invalid",
      hint: isPacked
        ? "Unpack it first: gunzip < FILE > vmlinux"
        : "Give it a bzImage (/boot/vmlinuz-…), an uncompressed vmlinux, or Debian's linux-image-….deb.",
    },
  );
}

function bzImage(bytes: Buffer): KernelImage | undefined {
  if (bytes.length < 0x1000 || bytes.toString("latin1", bz.magic, bz.magic + 4) !== "HdrS")
    return undefined;
  const at = bytes.readUInt16LE(bz.version) + bz.setup;
  const has64 = bytes.readUInt16LE(bz.protocol) >= 0x20c && (bytes[bz.loadFlags] ?? 0) & 1;
  return {
    format: "bzimage",
    architecture: has64 ? "amd64" : "386",
    version: firstWord(bytes.toString("latin1", at, at + 256)),
  };
}

function elfImage(bytes: Buffer): KernelImage | undefined {
  const elf = readElf(bytes);
  if (elf === undefined) return undefined;
  return { format: "elf", architecture: elf.architecture, version: banner(bytes) };
}

function arm64Image(bytes: Buffer): KernelImage | undefined {
  if (bytes.length < 64 || bytes.toString("latin1", 0x38, 0x3c) !== "ARM\x64") return undefined;
  return { format: "arm64-image", architecture: "arm64", version: banner(bytes) };
}

/** As it says in its greeting: `Linux version 6.1.0 (…`. */
function banner(bytes: Buffer): string {
  const mark = "Linux version ";
  const at = bytes.indexOf(mark);
  if (at === -1) return "";
  return firstWord(bytes.toString("latin1", at + mark.length, at + mark.length + 256));
}

function firstWord(text: string): string {
  return /^[\w.+~-]+/.exec(text)?.[0] ?? "";
}
