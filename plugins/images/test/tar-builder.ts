/** An entry of an archive that is made up byte by byte. Texts are bytes, one a character. */
export interface TarEntry {
  readonly name: string;
  readonly type?: string | undefined;
  readonly content?: string | Buffer | undefined;
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly mtime?: number | undefined;
  readonly link?: string | undefined;
  readonly device?: readonly [number, number] | undefined;
  readonly pax?: Readonly<Record<string, string | Buffer>> | undefined;
  /** Instead of the content's length. */
  readonly size?: number | undefined;
}

const pad = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
  };
  block.write(entry.name.slice(0, 100), 0, "latin1");
  octal(entry.mode ?? (entry.type === "5" ? 0o755 : 0o644), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(entry.mtime ?? 1_600_000_000, 136, 12);
  block.write("        ", 148, "latin1");
  block.write(entry.type ?? "0", 156, "latin1");
  block.write((entry.link ?? "").slice(0, 100), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(entry.device?.[0] ?? 0, 329, 8);
  octal(entry.device?.[1] ?? 0, 337, 8);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length)
    length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

export function buildTar(
  entries: readonly TarEntry[],
  options: { readonly end?: boolean } = {},
): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? "");
    if (entry.pax !== undefined) {
      const records = Buffer.concat(
        Object.entries(entry.pax).map(([key, value]) => paxRecord(key, value)),
      );
      parts.push(header({ name: "pax", type: "x" }, records.length), pad(records));
    }
    if ((entry.link ?? "").length > 100) {
      const long = Buffer.from(`${entry.link}\0`, "latin1");
      parts.push(header({ name: "././@LongLink", type: "K" }, long.length), pad(long));
    }
    if (entry.name.length > 100) {
      const long = Buffer.from(`${entry.name}\0`, "latin1");
      parts.push(header({ name: "././@LongLink", type: "L" }, long.length), pad(long));
    }
    parts.push(header(entry, entry.size ?? content.length), pad(content));
  }
  if (options.end !== false) parts.push(Buffer.alloc(1024));
  return Buffer.concat(parts);
}
