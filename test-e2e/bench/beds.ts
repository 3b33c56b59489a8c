import { type Place, temporaryPlace, xfsPlace } from "./places.ts";
import { findSnapshotVmm, makeBed, type SnapshotBed } from "./snapshot-bed.ts";
import type { SuiteContext } from "./suite.ts";

/** A bed on an XFS, where files share their blocks, and then one on the file system of the temporary files. */
export async function* makeBeds(context: SuiteContext): AsyncIterable<SnapshotBed> {
  const vmm = await findSnapshotVmm(context);
  if (vmm === undefined) return;
  for (const make of [() => xfsPlace(context), temporaryPlace]) {
    const made: Place | undefined = await make();
    if (made === undefined) continue;
    await using place = made;
    await using bed = await makeBed(place, vmm);
    yield bed;
  }
}
