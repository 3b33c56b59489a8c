import { readKernelImage } from "./kernel-image.ts";

/** How a kernel was built: `CONFIG_EROFS_FS` → `y`, `m`. What is not there is not set. */
export type KernelConfig = ReadonlyMap<string, string>;

export function parseKernelConfig(text: string): KernelConfig {
  return new Map(
    [...text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );
}

const start = "IKCFG_ST";
const end = "IKCFG_ED";
const largestKernelBytes = 512 * 1024 ** 2;

/** The configuration that a kernel carries in itself (`CONFIG_IKCONFIG`); undefined where it has none, or is packed in a way that Node does not read. */
export function embeddedConfig(kernel: Buffer): KernelConfig | undefined {
  const { gunzipSync } = process.getBuiltinModule("node:zlib");
  try {
    const image = readKernelImage(kernel, "").format === "bzimage" ? unpacked(kernel) : kernel;
    const from = image?.indexOf(start) ?? -1;
    if (image === undefined || from === -1) return undefined;
    const packed = image.subarray(from + start.length, image.indexOf(end, from));
    return parseKernelConfig(gunzipSync(packed, { maxOutputLength: 2 ** 24 }).toString("latin1"));
  } catch {
    // What cannot be read says nothing: the guest finds out what its kernel lacks.
    return undefined;
  }
}

/** The kernel within a bzImage. */
function unpacked(image: Buffer): Buffer | undefined {
  const { gunzipSync, zstdDecompressSync } = process.getBuiltinModule("node:zlib");
  const from = ((image[0x1f1] || 4) + 1) * 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(from, from + image.readUInt32LE(0x24c));
  // The last four bytes are the size of the whole, and no part of what was packed.
  const packed = payload.subarray(0, -4);
  const options = { maxOutputLength: largestKernelBytes };
  if (packed.readUInt16BE(0) === 0x1f8b) return gunzipSync(packed, options);
  if (packed.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(packed, options);
  return undefined;
}
