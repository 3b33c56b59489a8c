import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { randomBytes } from "../random.ts";

/**
 * Writes a whole file through a temporary one beside it, which is gone again whatever fails. When it returns, the new
 * content also outlives a power failure.
 */
export async function writeAtomic(
  path: string,
  content: string | Uint8Array,
  { mode }: { readonly mode: number },
): Promise<void> {
  const directory = dirname(path);
  const temporary = join(
    directory,
    `.${basename(path)}.${Buffer.from(randomBytes(6)).toString("hex")}.tmp`,
  );
  try {
    await writeDurably(temporary, content, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await using parent = await open(directory, "r");
  await parent.sync();
}

async function writeDurably(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  await using file = await open(path, "wx", mode);
  await file.writeFile(content);
  await file.sync();
}
