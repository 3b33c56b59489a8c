import {
  bootFiles,
  type CallOptions,
  type ExternalFile,
  type Host,
  type SnapshotDisk,
  type VmRecord,
} from "@silkvm/core";
import { hashFile } from "../digest/hash-file.ts";
import { isNamedQcow2 } from "../vm-disks/named-qcow2.ts";
import { imagesBelow } from "./images-below.ts";

/**
 * The files that a snapshot of a VM needs and does not hold, with what they are like: what it boots from, its read-only disks, and the
 * images below its overlays.
 * @throws Node's errors of reading
 */
export async function externalFiles(
  host: Host,
  { boot }: VmRecord,
  disks: readonly SnapshotDisk[],
  options: CallOptions,
): Promise<readonly ExternalFile[]> {
  const paths = new Set(bootFiles(boot));
  for (const { path, file } of disks) {
    if (file === undefined) paths.add(path);
    if (!isNamedQcow2(path)) continue;
    for await (const below of imagesBelow(host, path)) paths.add(below.path);
  }
  const files: ExternalFile[] = [];
  for (const path of paths) {
    options.signal?.throwIfAborted();
    const real = await host.files.realpath(path);
    // A block device has no size that tells, and may be larger than anybody wants to read.
    if ((await host.files.stat(real))?.kind === "block-device") files.push({ path });
    else files.push({ path, ...(await hashFile(host, real, options)) });
  }
  return files;
}
