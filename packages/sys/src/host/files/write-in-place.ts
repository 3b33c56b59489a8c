import { constants, open } from "node:fs/promises";

/**
 * Writes to a file that is there. Opened for writing alone: the kernel refuses to open some of its files for anything else. One write, for
 * each one is a command.
 */
export async function writeInPlace(path: string, content: string): Promise<void> {
  await using file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  await file.write(content, 0);
}
