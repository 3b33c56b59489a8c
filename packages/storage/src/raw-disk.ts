import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { formatExt4, spaceForExt4 } from "./ext4.ts";
import { checkSpace, diskFull } from "./space.ts";

/** A raw disk to make. */
export interface RawDiskRequest extends CallOptions {
  readonly path: string;
  /** Size that the guest sees; the file takes room only as it is written. */
  readonly sizeBytes: number;
  /** `none`: all zeros. */
  readonly fstype: "ext4" | "none";
  /** Name of the file system: the first 16 characters are used. */
  readonly label?: string | undefined;
}

/**
 * Makes a raw disk: a file of holes, with an ext4 on it where one is wanted, and mode 0600.
 *
 * The file gets its name once it is finished, so a disk that is there is whole; one that is there with the right size is left as
 * it is. So a call that was interrupted can be made again, and never destroys a disk that a guest may have written to.
 * @throws SilkError `DISK_FULL`, `DISK_EXISTS` where another file has the name, `MKFS_NOT_FOUND`, `MKFS_FAILED`
 */
export async function createRawDisk(host: Host, request: RawDiskRequest): Promise<void> {
  const { path, sizeBytes, fstype, label, signal } = request;
  signal?.throwIfAborted();
  const there = await host.files.stat(path);
  if (there !== undefined) {
    if (there.kind === "file" && there.sizeBytes === sizeBytes) return;
    throw new SilkError(`${path} is there already, and is no disk of ${sizeBytes} bytes`, {
      code: "DISK_EXISTS",
      kind: "conflict",
      hint: "Move it away, or remove it if nothing needs it.",
      details: { path, sizeBytes },
    });
  }
  const partial = `${path}.partial`;
  if (fstype === "ext4")
    await checkSpace(host, path, spaceForExt4(sizeBytes), `the file system of ${path}`);
  try {
    await host.files.remove(partial);
    await host.files.createSparse(partial, sizeBytes, { mode: 0o600 });
    if (fstype === "ext4") await formatExt4(host, { path: partial, label, signal });
    await host.files.rename(partial, path);
  } catch (error) {
    // The first failure is the one to tell; what could not be removed is removed by the next call.
    await host.files.remove(partial).catch(() => undefined);
    const { code } = error as { code?: unknown };
    if (code === "ENOSPC" || code === "EDQUOT")
      throw diskFull(`no room for the disk ${path}`, {
        details: { path, sizeBytes },
        cause: error,
      });
    throw error;
  }
}
