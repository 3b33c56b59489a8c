/** x86 code that a guest of one vCPU runs from its first instruction on, in 32-bit protected mode without paging. */
const programs = {
  /** Sleeps for ever, deaf to everything. */
  sleep: "fa f4 eb fc",
  /** Waits for a byte on the serial line, and switches the machine off by ACPI's sleep port. */
  powerOff: "66bafd03 ec a801 74f7 66ba0006 b034 ee fa f4 eb fc",
  /** Greets on the serial line with `>` and gives back what it reads from it. */
  echo: "66baf803 b03e ee 66bafd03 ec a801 74f7 66baf803 ec ee eb ef",
};

export type GuestProgram = keyof typeof programs;

const loadAddress = 0x10_0000;
const codeOffset = 0x1000;
const noteOffset = 0x200;
const pageBytes = 0x1000;

/** A kernel that runs a few instructions: an ELF with the PVH entry point that the VMM looks for. */
export function guestKernel(program: GuestProgram): Buffer {
  const code = Buffer.from(programs[program].replaceAll(" ", ""), "hex");
  const note = Buffer.alloc(20);
  // Name and value have 4 bytes each; 18 is XEN_ELFNOTE_PHYS32_ENTRY.
  for (const [index, word] of [4, 4, 18].entries()) note.writeUInt32LE(word, index * 4);
  note.write("Xen\0", 12, "latin1");
  note.writeUInt32LE(loadAddress, 16);

  const image = Buffer.alloc(codeOffset + code.length);
  image.write("\x7fELF\x02\x01\x01", "latin1");
  image.writeUInt16LE(2, 16);
  image.writeUInt16LE(62, 18);
  image.writeUInt32LE(1, 20);
  image.writeBigUInt64LE(BigInt(loadAddress), 24);
  image.writeBigUInt64LE(64n, 32);
  image.writeUInt16LE(64, 52);
  image.writeUInt16LE(56, 54);
  image.writeUInt16LE(2, 56);
  segment(image, 64, {
    type: 1,
    offset: codeOffset,
    address: loadAddress,
    size: code.length,
    align: pageBytes,
  });
  segment(image, 120, { type: 4, offset: noteOffset, address: 0, size: note.length, align: 4 });
  note.copy(image, noteOffset);
  code.copy(image, codeOffset);
  return image;
}

function segment(
  image: Buffer,
  at: number,
  header: {
    readonly type: number;
    readonly offset: number;
    readonly address: number;
    readonly size: number;
    readonly align: number;
  },
): void {
  const { type, offset, address, size, align } = header;
  image.writeUInt32LE(type, at);
  image.writeUInt32LE(5, at + 4);
  for (const [index, word] of [offset, address, address, size, size, align].entries())
    image.writeBigUInt64LE(BigInt(word), at + 8 + index * 8);
}
