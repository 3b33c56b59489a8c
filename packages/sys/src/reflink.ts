import { checked, libc } from "./libc.ts";

/** _IOW(0x94, 9, int), the same on x64 and arm64. */
const FICLONE = 0x40049409;

/**
 * Makes a file share all blocks of another, holes included: nothing is copied until one of them is written to.
 * @param destinationFd open for writing; its old content is gone
 * @throws SystemError ENOTSUP (or EINVAL, ENOTTY) where the file system cannot share blocks; EXDEV where the files are on two file systems
 */
export function reflink(sourceFd: number, destinationFd: number): void {
  checked("ioctl", () => libc().ioctl(destinationFd, FICLONE, "int", sourceFd));
}
