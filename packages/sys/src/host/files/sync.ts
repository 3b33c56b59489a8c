import { constants, open } from "node:fs/promises";

/** Waits until the content of a file, or the names in a directory, are on the disk. */
export async function sync(path: string): Promise<void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  await file.sync();
}
