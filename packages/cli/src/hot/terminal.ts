import { fstatSync } from "node:fs";
import { isatty } from "node:tty";

/** Major number of /dev/null and its like. */
const memoryDevices = 1;

/** Whether stdout is a terminal. What is no character device is none, and need not be asked: the module that asks is slow to load. */
export function isTerminal(): boolean {
  const stat = fstatSync(1);
  return stat.isCharacterDevice() && Math.floor(stat.rdev / 256) !== memoryDevices && isatty(1);
}
