import { constants } from "node:os";
import { checked, lastErrno, libc } from "./libc.ts";
import { SystemError } from "./system-error.ts";

// linux/fs.h and linux/falloc.h.
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

/**
 * The offset of the first byte at or after `offset` that is not in a hole; undefined where there is none up to the file's end.
 * Moves the descriptor's file position, which reads and writes with a position of their own do not use.
 */
export function nextData(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_DATA);
}

/**
 * The offset of the first byte at or after `offset` that is in a hole, the file's end counting as one; undefined where
 * `offset` is at or beyond that end. A file system without holes gives the file's end. Moves the file position, as `nextData`.
 */
export function nextHole(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_HOLE);
}

function seek(fd: number, offset: number, whence: number): number | undefined {
  const found = libc().lseek(fd, offset, whence);
  if (found !== -1) return found;
  const errno = lastErrno();
  if (errno === constants.errno.ENXIO) return undefined;
  throw new SystemError(errno, "lseek");
}

/**
 * Turns a range into a hole: it reads as zeros and takes no room. The file keeps its size.
 * @throws SystemError ENOTSUP where the file system has no holes
 */
export function punchHole(fd: number, offset: number, length: number): void {
  checked("fallocate", () =>
    libc().fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, offset, length),
  );
}

/**
 * Reserves room on the disk for a range, which reads as zeros where nothing was written. The file grows to the range's end.
 * @throws SystemError ENOSPC where there is not enough, which some file systems find out when they have given all they had: it
 *   stays with the file until that is cut or removed. ENOTSUP where the file system cannot reserve
 */
export function allocate(fd: number, offset: number, length: number): void {
  checked("fallocate", () => libc().fallocate(fd, 0, offset, length));
}
