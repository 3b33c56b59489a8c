import { join } from "node:path";
import { resolveSnapshot } from "../refs.ts";
import { readManifest } from "../snapshot/manifest-file.ts";
import { toSnapshotView } from "../store/snapshot-record.ts";
import type { EngineCore } from "./core.ts";
import type { SnapshotDetails, SnapshotView } from "./types.ts";

/** All snapshots that are whole, oldest first. Writes nothing. */
export function listSnapshots(core: EngineCore, vm: string | undefined): readonly SnapshotView[] {
  const all = core.read((store) => store?.listSnapshots() ?? []);
  return all
    .filter(({ vmId, vmName }) => vm === undefined || vm === vmId || vm === vmName)
    .map(toSnapshotView);
}

/** A snapshot with all that is known of it. Writes nothing. */
export async function inspectSnapshot(core: EngineCore, ref: string): Promise<SnapshotDetails> {
  const { record, usedBy } = core.read((store) => {
    const found = resolveSnapshot(store, ref);
    return { record: found, usedBy: store?.findVmsFromSnapshot(found.id) ?? [] };
  });
  const directory = core.snapshotDir(record.id);
  const manifest = await readManifest(core.host, directory);
  const stats = await Promise.all(
    manifest.files.map(({ name }) => core.host.files.stat(join(directory, name))),
  );
  return {
    ...toSnapshotView(record),
    directory,
    allocatedBytes: stats.reduce((sum, stat) => sum + (stat?.allocatedBytes ?? 0), 0),
    manifest,
    usedBy,
  };
}
