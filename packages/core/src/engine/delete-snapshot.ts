import { SilkError } from "../errors.ts";
import { resolveSnapshot, snapshotNotFound } from "../refs.ts";
import type { SnapshotRecord } from "../store/snapshot-record.ts";
import type { Store } from "../store/store.ts";
import type { EngineCore } from "./core.ts";
import { lockSubject } from "./locked.ts";
import { recoverAll } from "./recover.ts";
import { removeSnapshotFiles } from "./settle-save.ts";
import type { ChangeOptions } from "./types.ts";

/** Removes a snapshot. VMs that came from it keep what they need of it. What fails half-way can be run again. */
export async function deleteSnapshot(
  core: EngineCore,
  ref: string,
  options: ChangeOptions,
  signal: AbortSignal | undefined,
): Promise<SnapshotRecord> {
  const store = await core.store();
  await recoverAll(core, store);
  const snapshot = resolveSnapshot(store, ref);
  const sleeper = store.findVmHibernatedIn(snapshot.id);
  if (sleeper !== undefined)
    throw new SilkError(`the VM ${sleeper.name} hibernates in the snapshot ${snapshot.name}`, {
      code: "SNAPSHOT_IN_USE",
      kind: "conflict",
      hint: `Wake it first (silk vm wake ${sleeper.name}), or give up its memory: silk vm start --cold ${sleeper.name}`,
      details: { id: snapshot.id, vmId: sleeper.id, vmName: sleeper.name },
    });
  await deleteSnapshotHeld(core, store, snapshot, options, signal);
  return snapshot;
}

/** Whatever hibernates in it. */
export async function deleteSnapshotHeld(
  core: EngineCore,
  store: Store,
  { seq, name }: SnapshotRecord,
  options: ChangeOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using _lock = await lockSubject(core, store, { seq, what: "snapshot" }, options, signal);
  // Somebody else may have removed it while we waited.
  const snapshot = store.findSnapshotBySeq(seq);
  if (snapshot === undefined) throw snapshotNotFound(name);
  store.transaction(() => {
    store.beginOperation(snapshot, "delete-snapshot");
    store.updateSnapshot({ ...snapshot, ready: false });
  });
  await removeSnapshotFiles(core, snapshot.id);
  store.transaction(
    () => {
      store.setCheckedSnapshot(core.snapshotDir(snapshot.id), undefined);
      store.deleteSnapshot(seq);
      store.endOperation(seq);
      store.addEvent({ id: snapshot.vmId, name: snapshot.vmName }, "snapshot.deleted", {
        snapshotId: snapshot.id,
        snapshotName: snapshot.name,
      });
    },
    { durable: true },
  );
}
