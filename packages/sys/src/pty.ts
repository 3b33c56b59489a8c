import { closeSync, constants } from "node:fs";
import { checked, libc } from "./libc.ts";
import { SystemError } from "./system-error.ts";

/** A pseudo-terminal. */
export interface Pty {
  /** The master side. The caller closes it; that hangs up whoever has the slave side open. */
  readonly fd: number;
  /** The slave side, to be opened as a terminal: `/dev/pts/7`. */
  readonly path: string;
}

// fcntl.h and termios.h, the same on x64 and arm64.
const O_CLOEXEC = 0o2000000;
const TCSANOW = 0;
/** Longer than any /dev/pts path and than any C library's `struct termios` (60 bytes). */
const scratchBytes = 256;

/**
 * Opens a new pseudo-terminal, in the kernel's default mode (lines, echo). No other program inherits the master side.
 * @throws SystemError ENOSPC where the machine has no pseudo-terminal left
 */
export function openPty(): Pty {
  const fd = checked("posix_openpt", () =>
    libc().posix_openpt(constants.O_RDWR | constants.O_NOCTTY | O_CLOEXEC),
  );
  try {
    checked("grantpt", () => libc().grantpt(fd));
    checked("unlockpt", () => libc().unlockpt(fd));
    return { fd, path: slavePath(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Unlike the others, `ptsname_r` returns its errno. */
function slavePath(fd: number): string {
  const name = Buffer.alloc(scratchBytes);
  const errno = libc().ptsname_r(fd, name, name.length);
  if (errno !== 0) throw new SystemError(errno, "ptsname_r");
  return name.toString("utf8", 0, name.indexOf(0));
}

/** Puts a terminal, by either side of it, into raw mode: every byte passes as it is, without echo or signals. */
export function setRawPty(fd: number): void {
  const termios = Buffer.alloc(scratchBytes);
  checked("tcgetattr", () => libc().tcgetattr(fd, termios));
  libc().cfmakeraw(termios);
  checked("tcsetattr", () => libc().tcsetattr(fd, TCSANOW, termios));
}
