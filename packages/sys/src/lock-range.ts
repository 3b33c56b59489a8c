import { constants } from "node:os";
import { checked, lastErrno, libc } from "./libc.ts";
import { SystemError } from "./system-error.ts";

/** A range of bytes of a file. It may lie beyond the file's end. */
export interface ByteRange {
  /** First byte, from the start of the file. */
  readonly start: number;
  /** Number of bytes; 0 means up to the end, however far the file grows. */
  readonly length: number;
}

/** A lock to take on a range of bytes. */
export interface RangeLock extends ByteRange {
  /** A write lock, for which the descriptor must be open for writing; else a read lock, for which it must be open for reading. */
  readonly exclusive: boolean;
}

/** A lock that stands in the way of another. */
export interface HeldLock extends RangeLock {
  /** The holder; -1 where the lock belongs to an open file (an OFD lock), which several processes may share. */
  readonly pid: number;
}

// linux/fcntl.h, the same on x64 and arm64.
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;

/**
 * Takes an OFD lock on a range of bytes, without waiting. The lock belongs to the open file, not to the process: two `open`
 * calls of one process exclude each other, and closing another descriptor of the same file does not lose it. It ends with
 * `unlockRange`, with the close of the last descriptor of that open file, or with the death of the process.
 * @returns false where another open file holds a lock that excludes it
 * @throws SystemError EBADF where the descriptor is not open in the way that the lock needs; ENOLCK where the kernel has no room
 */
export function tryLockRange(fd: number, lock: RangeLock): boolean {
  const flock = encodeFlock(lock.exclusive ? F_WRLCK : F_RDLCK, lock);
  if (libc().fcntl(fd, F_OFD_SETLK, "void *", flock) !== -1) return true;
  const errno = lastErrno();
  if (errno === constants.errno.EAGAIN || errno === constants.errno.EACCES) return false;
  throw new SystemError(errno, "fcntl");
}

/** Gives a range back. Bytes that were not locked are fine; a part of a locked range may be given back alone. */
export function unlockRange(fd: number, range: ByteRange): void {
  checked("fcntl", () => libc().fcntl(fd, F_OFD_SETLK, "void *", encodeFlock(F_UNLCK, range)));
}

/**
 * The first lock that would keep this open file from taking the given one, or undefined where nothing would.
 * Takes nothing; a descriptor that is open for reading alone may ask about exclusive locks too.
 */
export function queryLock(fd: number, lock: RangeLock): HeldLock | undefined {
  const flock = encodeFlock(lock.exclusive ? F_WRLCK : F_RDLCK, lock);
  checked("fcntl", () => libc().fcntl(fd, F_OFD_GETLK, "_Inout_ void *", flock));
  const type = flock.readInt16LE(0);
  if (type === F_UNLCK) return undefined;
  return {
    pid: flock.readInt32LE(24),
    exclusive: type === F_WRLCK,
    start: Number(flock.readBigInt64LE(8)),
    length: Number(flock.readBigInt64LE(16)),
  };
}

/** `struct flock` as 64-bit Linux lays it out: l_type, l_whence, (4 unused), l_start, l_len, l_pid (0, as OFD locks demand). */
function encodeFlock(type: number, { start, length }: ByteRange): Buffer {
  const flock = Buffer.alloc(32);
  flock.writeInt16LE(type, 0);
  flock.writeBigInt64LE(BigInt(start), 8);
  flock.writeBigInt64LE(BigInt(length), 16);
  return flock;
}
