import { type Host, SilkError } from "@silkvm/core";

/**
 * Checks that the file system of a path has room.
 * @param path where something is to be written; it need not be there yet
 * @throws SilkError `DISK_FULL`
 */
export async function checkSpace(
  host: Host,
  path: string,
  neededBytes: number,
  what: string,
): Promise<void> {
  const { freeBytes } = await host.files.space(path);
  if (freeBytes >= neededBytes) return;
  throw diskFull(`no room for ${what}: ${path} is on a file system with ${freeBytes} bytes free`, {
    details: { path, freeBytes, neededBytes },
  });
}

/** The error for a file system without room. */
export function diskFull(
  message: string,
  more: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
): SilkError {
  return new SilkError(message, {
    code: "DISK_FULL",
    kind: "failed",
    hint: "Free some space (`silk gc --dry-run` shows what silk can let go), or name another directory with --root-dir.",
    ...more,
  });
}
