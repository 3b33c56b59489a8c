import { basename, join } from "node:path";
import type { Disk, SnapshotManifest, SnapshotSource, VmRecord } from "@silkvm/core";
import { isNamedQcow2 } from "../vm-disks/named-qcow2.ts";
import type { DiskCopy } from "./copy-disks.ts";
import { movedBacking } from "./moved-backing.ts";
import { diskFileNames, type VmPlaces } from "./names.ts";

/** The disks of a clone: those that the snapshot holds are copied into its own directory, the others stay where they are. */
export function cloneDisks(
  { paths }: VmPlaces,
  vm: { readonly id: string },
  { vm: { disks } }: SnapshotManifest,
): readonly Disk[] {
  const { dataDir } = paths(vm);
  const names = diskFileNames(disks, (disk, index) =>
    isNamedQcow2(disks[index]?.file ?? disk.path),
  );
  return disks.map(({ file, ...disk }, index) =>
    file === undefined ? disk : { ...disk, path: join(dataDir, names[index] as string) },
  );
}

/** What is to be copied for a clone, whose first disks are those of {@link cloneDisks}. */
export async function diskCopies(
  { host, paths }: VmPlaces,
  vm: VmRecord,
  source: SnapshotSource,
): Promise<readonly DiskCopy[]> {
  const { directory, manifest } = source;
  // A cidata disk that is there already tells the clone who it is, and not who the snapshot's VM was.
  const made = new Set(await host.files.list(paths(vm).dataDir));
  const copies: DiskCopy[] = [];
  for (const [index, { file, role }] of manifest.vm.disks.entries()) {
    const to = (vm.disks[index] as Disk).path;
    if (file === undefined || (role === "cidata" && made.has(basename(to)))) continue;
    const from = join(directory, file);
    copies.push({ from, to, backingPath: await movedBacking(host, source, from) });
  }
  return copies;
}
