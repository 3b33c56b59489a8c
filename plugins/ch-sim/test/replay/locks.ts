import { readFileSync, statSync } from "node:fs";

/** The open-file locks that the host knows of on a file, as `WRITE 0 4095`. */
export function locksOf(path: string): string[] {
  const inode = String(statSync(path).ino);
  return readFileSync("/proc/locks", "utf8")
    .split("\n")
    .map((line) => /OFDLCK +ADVISORY +(READ|WRITE) +-?\d+ \S+:(\d+) (\d+ \S+)/.exec(line))
    .filter((found) => found?.[2] === inode)
    .map((found) => `${found?.[1]} ${found?.[3]}`);
}
