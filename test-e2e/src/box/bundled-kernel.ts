/** Where in the guest's memory the additions lie: behind the kernel, and within the first 128 MiB. */
const stubAddress = 80 * 1024 ** 2;
const initramfsAddress = stubAddress + 2 ** 20;

/** The ELF64 fields that are looked at (elf(5)). */
const header = { programHeaders: 32, programHeaderBytes: 54, programHeaderCount: 56 };
const segment = { type: 0, offset: 8, fileBytes: 32 };
const segmentBytes = 56;
const load = 1;
const note = 4;
/** The Xen note that tells the PVH entry: its type, and the bytes before its value (name "Xen\0"). */
const pvhEntryNote = 18;
const noteHeaderBytes = 16;

/**
 * A kernel that brings its command line and its initramfs with it, as firmware brings a system up by itself: both are segments of the
 * ELF program, and a few instructions before the kernel's own PVH entry point it to them.
 */
export function bundleKernel(vmlinux: Buffer, cmdline: string, initramfs: Buffer): Buffer {
  const entry = findPvhEntry(vmlinux);
  const stub = makeStub(vmlinux.readUInt32LE(entry), cmdline, initramfs.length);
  const from = Number(vmlinux.readBigUInt64LE(header.programHeaders));
  const count = vmlinux.readUInt16LE(header.programHeaderCount);
  const stubOffset = vmlinux.length;
  const initramfsOffset = stubOffset + stub.length;
  const bundled = Buffer.concat([
    vmlinux,
    stub,
    initramfs,
    vmlinux.subarray(from, from + count * segmentBytes),
    loadSegment(stubOffset, stubAddress, stub.length),
    loadSegment(initramfsOffset, initramfsAddress, initramfs.length),
  ]);
  bundled.writeBigUInt64LE(BigInt(initramfsOffset + initramfs.length), header.programHeaders);
  bundled.writeUInt16LE(count + 2, header.programHeaderCount);
  bundled.writeUInt32LE(stubAddress, entry);
  return bundled;
}

/** Where in the file the address of the kernel's PVH entry is. */
function findPvhEntry(elf: Buffer): number {
  const from = Number(elf.readBigUInt64LE(header.programHeaders));
  if (elf.readUInt16LE(header.programHeaderBytes) !== segmentBytes)
    throw new Error("not an ELF program of 64 bits");
  for (let index = 0; index < elf.readUInt16LE(header.programHeaderCount); index += 1) {
    const at = from + index * segmentBytes;
    if (elf.readUInt32LE(at + segment.type) !== note) continue;
    const end = fieldOf(elf, at + segment.offset) + fieldOf(elf, at + segment.fileBytes);
    for (let place = fieldOf(elf, at + segment.offset); place < end;) {
      const [nameBytes, valueBytes, type] = [0, 4, 8].map((skip) => elf.readUInt32LE(place + skip));
      if (type === pvhEntryNote && elf.toString("latin1", place + 12, place + 15) === "Xen")
        return place + noteHeaderBytes;
      place += 12 + aligned(nameBytes as number) + aligned(valueBytes as number);
    }
  }
  throw new Error("the kernel has no PVH entry");
}

function fieldOf(elf: Buffer, at: number): number {
  return Number(elf.readBigUInt64LE(at));
}

function aligned(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** Instructions, then the one entry of a module list, then the command line. At the PVH entry EBX points to the hvm_start_info. */
function makeStub(kernelEntry: number, cmdline: string, initramfsBytes: number): Buffer {
  const codeBytes = 64;
  const moduleBytes = 32;
  const modules = stubAddress + codeBytes;
  const line = modules + moduleBytes;
  const startInfo = { moduleCount: 12, modules: 16, cmdline: 24 };
  const code = [
    ...storeWord(startInfo.moduleCount, 1),
    ...storeWord(startInfo.modules, modules),
    ...storeWord(startInfo.modules + 4, 0),
    ...storeWord(startInfo.cmdline, line),
    ...storeWord(startInfo.cmdline + 4, 0),
    // mov eax, kernelEntry
    0xb8,
    ...word(kernelEntry),
    // jmp eax
    0xff,
    0xe0,
  ];
  const stub = Buffer.alloc(codeBytes + moduleBytes);
  stub.set(code);
  stub.writeBigUInt64LE(BigInt(initramfsAddress), codeBytes);
  stub.writeBigUInt64LE(BigInt(initramfsBytes), codeBytes + 8);
  return Buffer.concat([stub, Buffer.from(`${cmdline}\0`)]);
}

/** mov dword [ebx + offset], value */
function storeWord(offset: number, value: number): readonly number[] {
  return [0xc7, 0x43, offset, ...word(value)];
}

function word(value: number): readonly number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
}

function loadSegment(offset: number, address: number, bytes: number): Buffer {
  const flags = 7;
  const entry = Buffer.alloc(segmentBytes);
  entry.writeUInt32LE(load, 0);
  entry.writeUInt32LE(flags, 4);
  for (const [index, value] of [offset, address, address, bytes, bytes, 1].entries())
    entry.writeBigUInt64LE(BigInt(value), 8 + index * 8);
  return entry;
}
