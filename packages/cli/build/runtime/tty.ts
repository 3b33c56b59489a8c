import { isTerminal } from "silk:dist/hot/terminal";

/** `isatty` of `node:tty`, which takes milliseconds to load. */
export function isatty(fd: number): boolean {
  try {
    return isTerminal(fd);
  } catch {
    return false;
  }
}
