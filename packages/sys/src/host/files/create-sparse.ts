import { open, rm } from "node:fs/promises";

/** Creates a file that is one hole. Nothing is left behind where it cannot have that size. */
export async function createSparse(
  path: string,
  sizeBytes: number,
  { mode }: { readonly mode: number },
): Promise<void> {
  await using file = await open(path, "wx", mode);
  try {
    await file.truncate(sizeBytes);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
