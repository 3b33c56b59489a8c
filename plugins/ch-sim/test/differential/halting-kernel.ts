const CODE_OFFSET = 0x1000;
const NOTE_OFFSET = 0x200;
const LOAD_ADDRESS = 0x100_0000;
/** The type of the note that tells where a kernel wants to be entered (`XEN_ELFNOTE_PHYS32_ENTRY`). */
const ENTRY_NOTE = 18;

/** The smallest kernel that a VMM boots: it turns interrupts off and halts. An ELF file with a PVH entry point. */
export function haltingKernel(): Buffer {
  const file = Buffer.alloc(CODE_OFFSET + 16);
  file.write("\x7fELF\x02\x01\x01", 0, "latin1");
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(62, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  segment(file, 64, { type: 1, offset: CODE_OFFSET, address: LOAD_ADDRESS, size: 16 });
  segment(file, 120, { type: 4, offset: NOTE_OFFSET, address: 0, size: 24 });
  file.writeUInt32LE(4, NOTE_OFFSET);
  file.writeUInt32LE(8, NOTE_OFFSET + 4);
  file.writeUInt32LE(ENTRY_NOTE, NOTE_OFFSET + 8);
  file.write("Xen\0", NOTE_OFFSET + 12, "latin1");
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), NOTE_OFFSET + 16);
  // cli; hlt; jmp back to the hlt
  Buffer.from([0xfa, 0xf4, 0xeb, 0xfd]).copy(file, CODE_OFFSET);
  return file;
}

function segment(
  file: Buffer,
  at: number,
  { type, offset, address, size }: Readonly<Record<"type" | "offset" | "address" | "size", number>>,
): void {
  file.writeUInt32LE(type, at);
  file.writeUInt32LE(7, at + 4);
  file.writeBigUInt64LE(BigInt(offset), at + 8);
  file.writeBigUInt64LE(BigInt(address), at + 16);
  file.writeBigUInt64LE(BigInt(address), at + 24);
  file.writeBigUInt64LE(BigInt(size), at + 32);
  file.writeBigUInt64LE(BigInt(size), at + 40);
  file.writeBigUInt64LE(0x1000n, at + 48);
}
