import type { SnapshotRecord } from "../store/snapshot-record.ts";
import type { Store } from "../store/store.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { endVm } from "./end-vm.ts";

/**
 * With the VM's lock held, after its snapshot is published: ends the operation, and for `hibernate` what still runs of the VM.
 * @param tell told in the same transaction
 */
export async function finishSave(
  core: EngineCore,
  store: Store,
  vmSeq: number,
  verb: "snapshot" | "hibernate",
  tell: () => void = () => {},
): Promise<VmRecord> {
  // Read anew: publishing has changed it.
  const vm = store.findBySeq(vmSeq) as VmRecord;
  let now = vm;
  if (verb === "hibernate") {
    const { problem: _problem, ...ended } = await endVm(core, vm);
    now = { ...ended, state: "stopped", updatedAt: store.now() };
  } else await resume(core, vm);
  store.transaction(() => {
    if (verb === "hibernate") store.updateVm(now);
    store.endOperation(vmSeq);
    tell();
  });
  return now;
}

/** With the VM's lock held: lets the VM run on, and removes what was made of a snapshot that is not published. */
export async function undoSave(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  snapshot: SnapshotRecord | undefined,
): Promise<void> {
  await resume(core, vm);
  if (snapshot !== undefined) await removeSnapshotFiles(core, snapshot.id);
  store.transaction(() => {
    if (snapshot !== undefined) store.deleteSnapshot(snapshot.seq);
    store.endOperation(vm.seq);
  });
}

/** With its lock held: removes what was made of a snapshot that was being taken in, or what is left of one that was being removed. */
export async function undoArrival(
  core: EngineCore,
  store: Store,
  { seq, id }: { readonly seq: number; readonly id: string },
): Promise<void> {
  const snapshot = store.findSnapshotBySeq(seq);
  await removeSnapshotFiles(core, id);
  if (snapshot !== undefined) await removeSnapshotFiles(core, snapshot.id);
  store.transaction(() => {
    store.deleteSnapshot(seq);
    store.endOperation(seq);
  });
}

/** Removes a snapshot's directory, finished or not. */
export async function removeSnapshotFiles(core: EngineCore, id: string): Promise<void> {
  await core.host.files.remove(core.partialSnapshotDir(id));
  await core.host.files.remove(core.snapshotDir(id));
}

/** A VM that a snapshot left paused runs on. */
async function resume(core: EngineCore, vm: VmRecord): Promise<void> {
  const backend = await core.backend(vm.backend);
  await backend.recover(vm, core.context({}, undefined));
}
