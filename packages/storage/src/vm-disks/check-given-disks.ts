import { type DiskSpec, type Host, SilkError } from "@silkvm/core";
import { checkImage } from "./check-image.ts";
import { checkPath } from "./check-path.ts";

/**
 * Checks the images that are given to a new VM: each is there, can be used, is what its name says, and is given once.
 * @param backend its name, for messages
 * @throws SilkError `INVALID_DISK`, and those of {@link checkPath}; `INVALID_IMAGE`, `IMAGE_UNSUPPORTED`
 */
export async function checkGivenDisks(
  host: Host,
  disks: readonly DiskSpec[],
  backend: string,
): Promise<void> {
  const seen = new Map<string, string>();
  for (const { path, readonly = false, directIo } of disks) {
    const stat = await checkPath(host, { path, flag: "--disk", writable: !readonly });
    if (readonly && directIo !== undefined)
      throw new SilkError(`--disk: ${path} is read-only, and direct= is for writable disks`, {
        code: "INVALID_DISK",
        kind: "invalid",
        hint: "Leave direct= or readonly out.",
        details: { path },
      });
    const file = `${stat.device}:${stat.inode}`;
    const same = seen.get(file);
    if (same !== undefined)
      throw new SilkError(
        same === path
          ? `--disk: ${path} is given twice`
          : `--disk: ${path} and ${same} are the same file`,
        {
          code: "INVALID_DISK",
          kind: "invalid",
          hint: "Give each disk once: a guest that has it twice destroys what is on it.",
          details: { path, same },
        },
      );
    seen.set(file, path);
    await checkImage(host, { path, readonly, backend });
  }
}
