import { SilkError } from "../errors.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import type { Store } from "../store/store.ts";

/** A VM's name can be as long as a snapshot's: room for the number behind it. */
const longestStem = 54;

/** `web-1`, `web-2`, …: the first one after the last that is there. */
export function freeSnapshotName(store: Store, vmName: string): string {
  const stem = vmName.slice(0, longestStem);
  for (let number = 1; ; number++) {
    const name = `${stem}-${number}`;
    if (store.findSnapshotClash(name) === undefined) return name;
  }
}

/** Ids and names of snapshots share one space: a ref must mean one of them. */
export function refuseSnapshotClash(store: Store, value: string): void {
  const other = store.findSnapshotClash(value);
  if (other === undefined) return;
  throw new SilkError(
    `there is a snapshot "${value}" already: ${other.id}, of the VM ${other.vmName}`,
    {
      code: "SNAPSHOT_EXISTS",
      kind: "conflict",
      hint: `Choose another name with --name, or remove that snapshot: silk snapshot rm ${other.name}`,
      details: { name: other.name, id: other.id },
    },
  );
}

/** Sum of a snapshot's files, holes included. */
export function sizeOf(manifest: SnapshotManifest): number {
  return manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
