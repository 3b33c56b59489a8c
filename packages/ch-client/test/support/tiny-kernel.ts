const entryAddress = 0x10_0000;
const codeOffset = 0x1000;
const noteOffset = 0xb0;
const noteBytes = 24;
/** cli; hlt; jump back to hlt. */
const code = [0xfa, 0xf4, 0xeb, 0xfd];

/** The smallest kernel that the VMM boots: an ELF image with a PVH entry point, whose code halts for ever and answers nothing. */
export function tinyKernel(): Buffer {
  const image = Buffer.alloc(codeOffset + code.length);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  image.writeUInt16LE(2, 16); // executable
  image.writeUInt16LE(62, 18); // x86-64
  image.writeUInt32LE(1, 20);
  image.writeBigUInt64LE(BigInt(entryAddress), 24);
  image.writeBigUInt64LE(64n, 32); // program headers follow the file header
  image.writeUInt16LE(64, 52);
  image.writeUInt16LE(56, 54);
  image.writeUInt16LE(2, 56);
  writeProgramHeader(image, 64, {
    type: 1,
    offset: codeOffset,
    address: entryAddress,
    size: code.length,
  });
  writeProgramHeader(image, 120, { type: 4, offset: noteOffset, address: 0, size: noteBytes });
  image.writeUInt32LE(4, noteOffset);
  image.writeUInt32LE(8, noteOffset + 4);
  image.writeUInt32LE(18, noteOffset + 8); // XEN_ELFNOTE_PHYS32_ENTRY
  image.write("Xen\0", noteOffset + 12, "latin1");
  image.writeBigUInt64LE(BigInt(entryAddress), noteOffset + 16);
  image.set(code, codeOffset);
  return image;
}

function writeProgramHeader(
  image: Buffer,
  at: number,
  header: {
    readonly type: number;
    readonly offset: number;
    readonly address: number;
    readonly size: number;
  },
): void {
  image.writeUInt32LE(header.type, at);
  image.writeUInt32LE(5, at + 4);
  image.writeBigUInt64LE(BigInt(header.offset), at + 8);
  image.writeBigUInt64LE(BigInt(header.address), at + 16);
  image.writeBigUInt64LE(BigInt(header.address), at + 24);
  image.writeBigUInt64LE(BigInt(header.size), at + 32);
  image.writeBigUInt64LE(BigInt(header.size), at + 40);
  image.writeBigUInt64LE(4n, at + 48);
}
