import { type Host, SilkError } from "@silkvm/core";

/** What an image file says of itself in its header. */
export interface ImageHeader {
  /** `raw`: no header that is known, so the file is the disk. */
  readonly format: "raw" | "qcow2" | "vhd" | "vhdx" | "vmdk" | "vdi";
  /** Size that a guest sees; undefined where only the format is known. */
  readonly virtualSizeBytes?: number | undefined;
  /** The image below a qcow2 overlay, as the header has it: a relative one starts at the image's directory. */
  readonly backingFile?: string | undefined;
  /** Format of the backing file, where the header says. */
  readonly backingFormat?: string | undefined;
  readonly encrypted?: boolean | undefined;
  /** Whether the guest's data is in another file, which the image names. */
  readonly externalData?: boolean | undefined;
}

const headerBytes = 4096;
const vhdFooterBytes = 512;
const backingFormatExtension = 0xe2792aca;
const externalDataBit = 4n;
/** The longest name that the format allows. */
const longestBackingFile = 1023;

/**
 * Reads an image's format, virtual size and backing file from its first bytes, without any other program.
 * @throws SilkError `INVALID_IMAGE` where it begins as a qcow2 and is none; Node's errors of reading
 */
export async function readImageHeader(host: Host, path: string): Promise<ImageHeader> {
  const head = view(await host.files.readRange(path, 0, headerBytes));
  if (startsWith(head, "QFI\xfb")) return readQcow2(host, path, head);
  if (startsWith(head, "vhdxfile")) return { format: "vhdx" };
  if (startsWith(head, "KDMV")) return { format: "vmdk" };
  if (head.byteLength >= 68 && head.getUint32(64, true) === 0xbeda107f) return { format: "vdi" };
  const stat = await host.files.stat(path);
  if (stat?.kind !== "file") return { format: "raw" };
  if (startsWith(head, "conectix") || (await endsAsVhd(host, path, stat.sizeBytes)))
    return { format: "vhd" };
  return { format: "raw", virtualSizeBytes: stat.sizeBytes };
}

/** A VHD of a fixed size is a raw disk with a footer. */
async function endsAsVhd(host: Host, path: string, sizeBytes: number): Promise<boolean> {
  if (sizeBytes < vhdFooterBytes) return false;
  const footer = await host.files.readRange(path, sizeBytes - vhdFooterBytes, vhdFooterBytes);
  return startsWith(view(footer), "conectix");
}

async function readQcow2(host: Host, path: string, head: DataView): Promise<ImageHeader> {
  const refuse = (why: string): never => {
    throw new SilkError(`${path} is a damaged qcow2 image: ${why}`, {
      code: "INVALID_IMAGE",
      kind: "invalid",
      hint: "`qemu-img check` tells more.",
      details: { path },
    });
  };
  if (head.byteLength < 72) refuse("it ends within its header");
  const version = head.getUint32(4);
  if (version !== 2 && version !== 3) refuse(`it has version ${version}`);
  const clusterBits = head.getUint32(20);
  if (clusterBits < 9 || clusterBits > 21) refuse(`it has clusters of 2^${clusterBits} bytes`);
  const virtualSize = head.getBigUint64(24);
  if (virtualSize > BigInt(Number.MAX_SAFE_INTEGER)) refuse(`it is ${virtualSize} bytes large`);
  if (version === 3 && head.byteLength < 104) refuse("it ends within its header");
  const backingOffset = head.getBigUint64(8);
  const backingLength = head.getUint32(16);
  let backingFile: string | undefined;
  if (backingOffset !== 0n) {
    if (backingLength === 0 || backingLength > longestBackingFile)
      refuse("the name of its backing file is too long");
    if (backingOffset + BigInt(backingLength) > 1n << BigInt(clusterBits))
      refuse("the name of its backing file is outside of its header");
    const bytes = await host.files.readRange(path, Number(backingOffset), backingLength);
    if (bytes.length < backingLength) refuse("it ends within its header");
    backingFile = Buffer.from(bytes).toString("utf8");
  }
  return {
    format: "qcow2",
    virtualSizeBytes: Number(virtualSize),
    backingFile,
    backingFormat: backingFile === undefined ? undefined : readBackingFormat(head, version),
    encrypted: head.getUint32(32) !== 0,
    externalData: version === 3 && (head.getBigUint64(72) & externalDataBit) !== 0n,
  };
}

/** The header's extensions follow it, each a type, a length, and data that is padded to 8 bytes. */
function readBackingFormat(head: DataView, version: number): string | undefined {
  let at = version === 2 ? 72 : head.getUint32(100);
  while (at + 8 <= head.byteLength) {
    const type = head.getUint32(at);
    const length = head.getUint32(at + 4);
    if (type === 0 || at + 8 + length > head.byteLength) return undefined;
    if (type === backingFormatExtension)
      return Buffer.from(head.buffer, head.byteOffset + at + 8, length).toString("latin1");
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return undefined;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function startsWith(head: DataView, magic: string): boolean {
  return (
    Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, magic.length)).toString(
      "latin1",
    ) === magic
  );
}
