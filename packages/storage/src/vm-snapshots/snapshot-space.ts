import type { Host, SnapshotDisk, VmRecord } from "@silkvm/core";

/** File systems on which a copy shares the blocks of its original. */
const sharing: ReadonlySet<string> = new Set(["xfs", "btrfs", "bcachefs"]);

/**
 * How many bytes a snapshot takes, at most: all of the memory, which the VMM writes without holes, and what its disks have where copies take room.
 * Undefined sizes, of disks that are gone meanwhile, count as nothing.
 */
export async function spaceForSnapshot(
  host: Host,
  directory: string,
  { config }: VmRecord,
  disks: readonly SnapshotDisk[],
): Promise<number> {
  const { type } = await host.files.space(directory);
  const device = (await host.files.stat(directory))?.device;
  let needed = config.memoryBytes;
  for (const { path, file } of disks) {
    const stat = file === undefined ? undefined : await host.files.stat(path);
    if (stat === undefined || (sharing.has(type) && stat.device === device)) continue;
    needed += stat.allocatedBytes;
  }
  return needed;
}
