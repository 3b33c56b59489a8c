/** The most that one block of the legacy frame unpacks to. */
const blockBytes = 8 * 1024 ** 2;
const frameMagic = 0x184c2102;

/** Unpacks the "legacy" frame of LZ4, the one that kernels are packed in. Throws where it is damaged. */
export function unpackLz4(packed: Buffer): Buffer {
  if (packed.readUInt32LE(0) !== frameMagic) throw new Error("not a legacy LZ4 frame");
  const blocks: Buffer[] = [];
  for (let at = 4; at + 4 <= packed.length;) {
    const bytes = packed.readUInt32LE(at);
    blocks.push(unpackBlock(packed.subarray(at + 4, at + 4 + bytes)));
    at += 4 + bytes;
  }
  return Buffer.concat(blocks);
}

/** Sequences of literals and of a match with what is unpacked already; the last one has no match. */
function unpackBlock(input: Buffer): Buffer {
  const output = Buffer.alloc(blockBytes);
  let from = 0;
  let to = 0;
  const length = (nibble: number): number => {
    let total = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255; total += more)
      more = input.readUInt8(from++);
    return total;
  };
  for (;;) {
    const token = input.readUInt8(from++);
    const literals = length(token >> 4);
    input.copy(output, to, from, from + literals);
    from += literals;
    to += literals;
    if (from >= input.length) return output.subarray(0, to);
    const distance = input.readUInt16LE(from);
    from += 2;
    const end = to + length(token & 15) + 4;
    // A match may reach into what it makes itself.
    for (; to < end; to += 1) output[to] = output[to - distance] as number;
  }
}
