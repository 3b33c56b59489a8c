import { constants, type FileHandle, open as openHandle } from "node:fs/promises";
import type { HostFile } from "@silkvm/core";
import { allocate, nextData, nextHole, punchHole } from "../../holes.ts";
import { hasCode } from "../errors.ts";
import { statOf } from "./stat.ts";

// A FIFO would keep a plain open waiting for its other side.
const everyFlag = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const flags = {
  read: constants.O_RDONLY,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  update: constants.O_RDWR,
};

/**
 * Opens a file, following no symlink in the last part of its path (ELOOP). A new one has mode 0600, unless told otherwise.
 * It may be a directory or a device: `stat` tells.
 */
export async function open(
  path: string,
  how: keyof typeof flags,
  { mode = 0o600 }: { readonly mode?: number | undefined } = {},
): Promise<HostFile> {
  return new OpenFile(await openHandle(path, flags[how] | everyFlag, mode));
}

class OpenFile implements HostFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async stat(): ReturnType<HostFile["stat"]> {
    return statOf(await this.#handle.stat());
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const left = buffer.length - filled;
      const { bytesRead } = await this.#handle.read(buffer, filled, left, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      const left = bytes.length - written;
      const { bytesWritten } = await this.#handle.write(bytes, written, left, position + written);
      written += bytesWritten;
    }
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#handle.truncate(sizeBytes);
  }

  async nextData(position: number): ReturnType<HostFile["nextData"]> {
    try {
      const start = nextData(this.#handle.fd, position);
      if (start === undefined) return undefined;
      const end = nextHole(this.#handle.fd, start);
      // The file was cut short between the two questions.
      return end === undefined ? undefined : { start, end };
    } catch (error) {
      if (!hasCode(error, "EINVAL", "ENOTSUP", "EOPNOTSUPP")) throw error;
      // A file system that knows of no holes has data up to the file's end.
      const { size } = await this.#handle.stat();
      return position < size ? { start: position, end: size } : undefined;
    }
  }

  async punchHole(position: number, length: number): Promise<void> {
    punchHole(this.#handle.fd, position, length);
  }

  async allocate(position: number, length: number): Promise<void> {
    allocate(this.#handle.fd, position, length);
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close();
  }
}
