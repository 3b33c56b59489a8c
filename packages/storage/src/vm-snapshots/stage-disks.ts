import { join } from "node:path";
import type { CallOptions, SnapshotSource, VmRecord } from "@silkvm/core";
import { copyDisks, type DiskCopy } from "./copy-disks.ts";
import { matchDisks } from "./match-disks.ts";
import { movedBacking } from "./moved-backing.ts";
import { stagedDir, type VmPlaces } from "./names.ts";
import { snapshotMismatch } from "./snapshot-errors.ts";
import { type StagedDisk, stagedDisk } from "./staged-disk.ts";

/**
 * Copies the snapshot's disks to where the VM's own can be exchanged for them. Cidata that says who somebody else is stays where it is.
 * @throws SilkError `SNAPSHOT_MISMATCH` where a disk of the VM is none that can be exchanged
 */
export async function stageDisks(
  places: VmPlaces,
  vm: VmRecord,
  source: SnapshotSource,
  { signal }: CallOptions,
): Promise<readonly StagedDisk[]> {
  const { host, paths } = places;
  await host.files.mkdir(stagedDir(paths(vm)), { mode: 0o700 });
  const copies: (StagedDisk & Pick<DiskCopy, "from" | "backingPath">)[] = [];
  const isOwn = source.manifest.vm.id === vm.id;
  for (const { disk, index, file } of matchDisks(vm, source.manifest)) {
    if (file === undefined || (disk.role === "cidata" && !isOwn)) continue;
    if ((await host.files.stat(disk.path))?.kind === "block-device")
      throw snapshotMismatch(`${disk.path} is a block device, which is not exchanged for a file`);
    const where = await stagedDisk(places, vm, disk, index);
    await host.files.remove(where.staged);
    const from = join(source.directory, file);
    copies.push({ from, backingPath: await movedBacking(host, source, from), ...where });
  }
  await copyDisks(
    host,
    copies.map(({ from, backingPath, staged }) => ({
      from,
      backingPath,
      to: staged,
      durable: true,
    })),
    { signal },
  );
  return copies;
}
