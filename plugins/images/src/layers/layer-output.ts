import type { Host } from "@silkvm/core";
import type { ByteSource } from "@silkvm/storage";
import type { SequentialWriter } from "../files/sequential-writer.ts";
import { isBootFile } from "./boot-file.ts";
import { BootFileWriter } from "./boot-file-writer.ts";
import type { Inode } from "./inode.ts";
import type { LayerEntry } from "./read-layer.ts";
import { type HeaderOptions, writeEnd, writeHeader, writePadding } from "./tar-writer.ts";

const holeBytes = 2 ** 20;

/** The archive that a layer becomes, as it is written, and the files of /boot that are kept beside it. */
export class LayerOutput {
  /** Where in the archive a file's data begins. */
  readonly dataAt = new Map<Inode, number>();
  readonly boot: BootFileWriter;
  /** No file is newer, in seconds since 1970. */
  latestSeconds = 0;
  readonly #writer: SequentialWriter;

  constructor(host: Host, directory: string, writer: SequentialWriter) {
    this.#writer = writer;
    this.boot = new BootFileWriter(host, directory);
  }

  async header(path: string, inode: Inode, options?: HeaderOptions): Promise<void> {
    this.time(inode);
    await writeHeader(this.#writer, path, inode, options);
  }

  /** Something has this inode's time. */
  time({ mtime }: Inode): void {
    this.latestSeconds = Math.max(this.latestSeconds, mtime.seconds + 1);
  }

  /**
   * A file, or another thing that is no directory, with its data from the layer's archive.
   * @returns the inode that it has got
   */
  async file(path: string, entry: LayerEntry, source: ByteSource): Promise<Inode> {
    await using boot =
      entry.inode.kind === "file" && isBootFile(path) ? await this.boot.begin(path) : undefined;
    await this.header(path, entry.inode);
    const start = this.#writer.position;
    await this.#copyData(entry, source, boot);
    const kept = await boot?.end();
    const inode = kept === undefined ? entry.inode : { ...entry.inode, bootBlobId: kept.blobId };
    this.dataAt.set(inode, start);
    return inode;
  }

  /**
   * A file with data that is from elsewhere.
   * @returns how many bytes came
   */
  async copy(path: string, inode: Inode, data: AsyncIterable<Uint8Array>): Promise<number> {
    await this.header(path, inode);
    const start = this.#writer.position;
    for await (const bytes of data) await this.#writer.write(bytes);
    const length = this.#writer.position - start;
    await writePadding(this.#writer, length);
    this.dataAt.set(inode, start);
    return length;
  }

  async end(): Promise<void> {
    await writeEnd(this.#writer);
    await this.#writer.finish();
  }

  async #copyData(
    entry: LayerEntry,
    source: ByteSource,
    boot: { write(bytes: Uint8Array): Promise<void> } | undefined,
  ): Promise<void> {
    let position = 0;
    const hole = async (count: number): Promise<void> => {
      await this.#writer.zeros(count);
      if (boot === undefined) return;
      for (let left = count; left > 0; left -= holeBytes)
        await boot.write(Buffer.alloc(Math.min(left, holeBytes)));
    };
    for (const { start, length } of entry.map.pieces()) {
      if (start > position) await hole(start - position);
      for (let left = length; left > 0;) {
        const bytes = await source.need(left);
        await this.#writer.write(bytes);
        await boot?.write(bytes);
        left -= bytes.length;
      }
      position = start + length;
    }
    await hole(entry.inode.sizeBytes - position);
    await writePadding(this.#writer, entry.inode.sizeBytes);
  }
}
