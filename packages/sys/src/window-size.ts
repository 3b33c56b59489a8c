import { checked, libc } from "./libc.ts";

/** The size of a terminal's window, in characters. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

// asm-generic/ioctls.h, the same on x64 and arm64.
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
/** `struct winsize`: rows, columns, and the size in pixels, each 16 bits. */
const winsizeBytes = 8;

/**
 * The size of a terminal's window, by either side of it; 0 and 0 where nobody has set it.
 * @throws SystemError ENOTTY where the descriptor is no terminal
 */
export function getWindowSize(fd: number): WindowSize {
  const winsize = Buffer.alloc(winsizeBytes);
  checked("ioctl", () => libc().ioctl(fd, TIOCGWINSZ, "_Out_ void *", winsize));
  return { rows: winsize.readUInt16LE(0), columns: winsize.readUInt16LE(2) };
}

/**
 * Sets the size of a terminal's window, by either side of it; a change is a SIGWINCH to the programs on the slave side.
 * @throws SystemError ENOTTY where the descriptor is no terminal; RangeError where a number does not fit into 16 bits
 */
export function setWindowSize(fd: number, { rows, columns }: WindowSize): void {
  const winsize = Buffer.alloc(winsizeBytes);
  winsize.writeUInt16LE(rows, 0);
  winsize.writeUInt16LE(columns, 2);
  checked("ioctl", () => libc().ioctl(fd, TIOCSWINSZ, "void *", winsize));
}
