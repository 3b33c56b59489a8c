import type { Disk, Host, SilkError, SnapshotDisk, VmRecord } from "@silkvm/core";
import { readImageHeader } from "../image-header.ts";
import { imagesBelow } from "./images-below.ts";
import { diskFileNames } from "./names.ts";
import { snapshotUnsupported } from "./snapshot-errors.ts";

/**
 * What of a VM's attached disks goes into a snapshot: the content of those that are written to and of cidata, by names for their files.
 * @returns in the same order
 * @throws SilkError `SNAPSHOT_UNSUPPORTED` that names the disk which stands in the way
 */
export async function savedDisks(
  host: Host,
  vm: VmRecord,
  attached: readonly Disk[],
): Promise<readonly SnapshotDisk[]> {
  const names = diskFileNames(attached);
  const disks: SnapshotDisk[] = [];
  for (const [index, disk] of attached.entries()) {
    const isSaved = !disk.readonly || disk.role === "cidata";
    if (!isSaved) disks.push(disk);
    else {
      await checkCopyable(host, vm, disk.path);
      disks.push({ ...disk, file: names[index] });
    }
  }
  return disks;
}

async function checkCopyable(host: Host, vm: VmRecord, path: string): Promise<void> {
  const kind = (await host.files.stat(path))?.kind;
  if (kind !== "file")
    throw cannotSave(vm, `its disk ${path} is ${kind === undefined ? "gone" : `a ${kind}`}`);
  if ((await readImageHeader(host, path)).format !== "qcow2" || !path.endsWith(".qcow2")) return;
  for await (const { path: below, isRelative } of imagesBelow(host, path)) {
    if (!isRelative) return;
    throw cannotSave(vm, `its disk ${path} names the image below it by a relative path`, {
      hint: `Name it by its full path: qemu-img rebase -u -F <format> -b ${below} ${path}`,
    });
  }
}

/** The error for a VM that cannot be saved as it is. */
export function cannotSave(
  vm: VmRecord,
  why: string,
  more: { readonly hint?: string } = {},
): SilkError {
  return snapshotUnsupported(`the VM ${vm.name} cannot be saved: ${why}`, {
    ...more,
    details: { id: vm.id },
  });
}
