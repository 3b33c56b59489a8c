/** A file of an initramfs. */
export interface CpioFile {
  /** Without a slash at its beginning. */
  readonly path: string;
  /** Type and permissions, such as 0o100755. */
  readonly mode: number;
  /** A file's bytes, or where a symlink leads. */
  readonly content?: string | Uint8Array | undefined;
}

/** Files in the "newc" form of cpio, the only one that the kernel reads. Archives can be put together; {@link cpioEnd} ends the last one. */
export function cpio(files: readonly CpioFile[]): Buffer {
  return Buffer.concat(
    files.flatMap(({ path, mode, content = "" }) => {
      const name = Buffer.from(`${path}\0`);
      const data = Buffer.from(content);
      const links = 1;
      const fields = [0, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, name.length, 0];
      const numbers = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
      return [...padded(Buffer.from(`070701${numbers}`), name), ...padded(data)];
    }),
  );
}

export function cpioEnd(): Buffer {
  return cpio([{ path: "TRAILER!!!", mode: 0 }]);
}

/** These bytes, and zeros up to the next multiple of four. */
function padded(...parts: readonly Buffer[]): readonly Buffer[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [...parts, Buffer.alloc(-length & 3)];
}
