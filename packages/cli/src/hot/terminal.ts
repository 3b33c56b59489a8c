import { fstatSync, type Stats } from "node:fs";
import { isatty } from "node:tty";

/** Whether a file is /dev/null or one of its like. */
export function isMemoryDevice(stat: Stats): boolean {
  return stat.isCharacterDevice() && Math.floor(stat.rdev / 256) === 1;
}

/** Whether a descriptor is a terminal. What is no character device is none, and need not be asked: the module that asks is slow to load. */
export function isTerminal(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isCharacterDevice() && !isMemoryDevice(stat) && isatty(fd);
}
