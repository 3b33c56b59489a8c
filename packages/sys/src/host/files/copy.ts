import { constants, copyFile, type FileHandle, open, rm } from "node:fs/promises";
import { constants as osConstants } from "node:os";
import type { CallOptions } from "@silkvm/core";
import { nextData, nextHole } from "../../holes.ts";
import { SystemError } from "../../system-error.ts";
import { hasCode } from "../errors.ts";

/** Bytes between two looks at the signal. */
const chunkBytes = 4 * 2 ** 20;

/**
 * Copies a file with its permission bits. Where the file system can, the copy shares the blocks of the source; elsewhere
 * its data is copied and its holes stay holes. (Node's own fall-back from a reflink fills them.)
 * A copy that fails or is aborted leaves nothing behind.
 * @throws EEXIST where the target is there; EINVAL where the source is no regular file
 */
export async function copy(from: string, to: string, { signal }: CallOptions = {}): Promise<void> {
  signal?.throwIfAborted();
  await using source = await open(from, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await source.stat();
  if (!stats.isFile()) throw new SystemError(osConstants.errno.EINVAL, `copy '${from}'`);
  if (await cloned(from, to)) return;
  await using target = await open(to, "wx", stats.mode & 0o777);
  try {
    await target.truncate(stats.size);
    await copyData(source, target, stats.size, signal);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}

async function cloned(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOTSUP", "EXDEV", "EINVAL", "ENOTTY", "ENOSYS", "EOPNOTSUPP"))
      return false;
    throw error;
  }
}

async function copyData(
  source: FileHandle,
  target: FileHandle,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, sizeBytes));
  for (let start = nextData(source.fd, 0); start !== undefined;) {
    const end = nextHole(source.fd, start) ?? sizeBytes;
    for (let position = start; position < end;) {
      signal?.throwIfAborted();
      const length = Math.min(buffer.length, end - position);
      const { bytesRead } = await source.read(buffer, 0, length, position);
      // The source was cut short meanwhile: what is not there any more stays a hole.
      if (bytesRead === 0) return;
      await writeFully(target, buffer.subarray(0, bytesRead), position);
      position += bytesRead;
    }
    start = nextData(source.fd, end);
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await file.write(
      bytes,
      written,
      bytes.length - written,
      position + written,
    );
    written += bytesWritten;
  }
}
