/** What is looked at of an ELF file of 64 bits, little-endian. */
export interface Elf {
  /** As OCI names it; the number where it is another one. */
  readonly architecture: string;
  /** Whether another program (`ld.so`) has to load it. */
  readonly isDynamic: boolean;
  section(name: string): Buffer | undefined;
}

const machines: Readonly<Record<number, string>> = { 62: "amd64", 183: "arm64" };
const interpreter = 3;

/** Undefined where it is no such file, or a damaged one. */
export function readElf(bytes: Buffer): Elf | undefined {
  if (bytes.length < 64 || bytes.toString("latin1", 0, 6) !== "\x7fELF\x02\x01") return undefined;
  try {
    const sections = sectionsOf(bytes);
    const machine = bytes.readUInt16LE(18);
    return {
      architecture: machines[machine] ?? String(machine),
      isDynamic: programTypes(bytes).includes(interpreter),
      section: (name) => sections.get(name),
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function programTypes(bytes: Buffer): readonly number[] {
  const start = Number(bytes.readBigUInt64LE(32));
  const size = bytes.readUInt16LE(54);
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, index) =>
    bytes.readUInt32LE(start + index * size),
  );
}

function sectionsOf(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const start = Number(bytes.readBigUInt64LE(40));
  const size = bytes.readUInt16LE(58);
  const count = start === 0 ? 0 : bytes.readUInt16LE(60);
  const at = (index: number): { name: number; content: Buffer } => {
    const header = start + index * size;
    const offset = Number(bytes.readBigUInt64LE(header + 24));
    return {
      name: bytes.readUInt32LE(header),
      content: bytes.subarray(offset, offset + Number(bytes.readBigUInt64LE(header + 32))),
    };
  };
  if (count === 0) return new Map();
  const names = at(bytes.readUInt16LE(62)).content;
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const { name, content } = at(index);
      return [names.toString("latin1", name, names.indexOf(0, name)), content] as const;
    }),
  );
}
