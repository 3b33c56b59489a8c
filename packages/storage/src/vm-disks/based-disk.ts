import type { CallOptions, Host } from "@silkvm/core";
import { createQcow2Overlay } from "../qcow2.ts";

/** A disk that begins as an image. */
export interface BasedDiskRequest extends CallOptions {
  /** `….qcow2` for an overlay; any other name for a raw copy. */
  readonly path: string;
  /** A raw image, which is not written to. */
  readonly basePath: string;
  /** Size that the guest sees: at least that of the image. */
  readonly sizeBytes: number;
}

/**
 * Makes a disk that begins as an image: a raw copy, which shares its blocks where the file system can, or a qcow2 overlay. It gets its
 * name once it is finished: one that is there is whole, and is left as it is.
 * @throws SilkError `QEMU_IMG_NOT_FOUND`, `QEMU_IMG_FAILED`, `DISK_FULL`
 */
export async function createBasedDisk(host: Host, request: BasedDiskRequest): Promise<void> {
  const { path, basePath, sizeBytes, signal } = request;
  signal?.throwIfAborted();
  if ((await host.files.stat(path)) !== undefined) return;
  const partial = `${path}.partial`;
  await host.files.remove(partial);
  try {
    if (path.endsWith(".qcow2"))
      await createQcow2Overlay(host, {
        path: partial,
        backingPath: basePath,
        backingFormat: "raw",
        sizeBytes,
        signal,
      });
    else {
      await host.files.copy(basePath, partial, { signal });
      await host.files.chmod(partial, 0o600);
      await using file = await host.files.open(partial, "update");
      await file.truncate(sizeBytes);
    }
    await host.files.chmod(partial, 0o600);
    await host.files.rename(partial, path);
  } catch (error) {
    await host.files.remove(partial).catch(() => undefined);
    throw error;
  }
}
