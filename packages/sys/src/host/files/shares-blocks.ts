import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { reflink } from "../../reflink.ts";

/** What the kernel answers where the file system, or a layer above it, has no such thing. */
const refusals: ReadonlySet<unknown> = new Set([
  "ENOTSUP",
  "EOPNOTSUPP",
  "EINVAL",
  "ENOTTY",
  "ENOSYS",
  "EXDEV",
]);

/** Tries it on two files that have no name any more when it does: however this process ends, nothing of them stays. */
export async function sharesBlocks(directory: string): Promise<boolean> {
  await using source = await openNameless(directory);
  await using target = await openNameless(directory);
  await source.write(Buffer.alloc(4096, 1));
  try {
    reflink(source.fd, target.fd);
    return true;
  } catch (error) {
    if (refusals.has((error as { code?: unknown }).code)) return false;
    throw error;
  }
}

async function openNameless(directory: string): Promise<FileHandle> {
  const path = join(directory, `.silk-probe-${randomBytes(8).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  await rm(path);
  return file;
}
