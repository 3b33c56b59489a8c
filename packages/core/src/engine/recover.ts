import type { JournalEntry } from "../store/journal.ts";
import type { Store } from "../store/store.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { endVm } from "./end-vm.ts";
import { removeVm } from "./remove.ts";
import { endedState } from "./reconcile.ts";
import { isRepair, settleNic } from "./nic-change.ts";
import { leaveOpen, settleDevice } from "./settle-device.ts";
import { finishSave, undoArrival, undoSave } from "./settle-save.ts";
import { abandonRestore } from "./settle-restore.ts";

/**
 * Finishes or undoes every operation whose owner has died. A free lock is the proof of that: there is no age after which an operation
 * counts as dead. What cannot be recovered now is left for the next command, and said in the log.
 */
export async function recoverAll(core: EngineCore, store: Store): Promise<void> {
  for (const { seq, id, verb } of store.listOperations()) {
    await using lock = await core.host.locks.acquire(core.lockPath, seq, { waitMs: 0 });
    if (lock === undefined) continue;
    try {
      await recoverSubject(core, store, seq);
    } catch (error) {
      core.logger.warn(
        `the interrupted "${verb}" of ${id} cannot be recovered yet: ${(error as Error).message}`,
      );
    }
  }
}

/** With the lock of a VM, or of a snapshot, held: finishes or undoes its interrupted operation, where there is one. */
export async function recoverSubject(core: EngineCore, store: Store, seq: number): Promise<void> {
  const operation = store.findOperation(seq);
  if (operation === undefined) return;
  core.logger.info(`recovering the interrupted "${operation.verb}" of ${operation.id}`);
  if (operation.verb === "import" || operation.verb === "delete-snapshot")
    await undoArrival(core, store, operation);
  else await recoverVm(core, store, operation);
}

async function recoverVm(core: EngineCore, store: Store, operation: JournalEntry): Promise<void> {
  const { seq, verb } = operation;
  const vm = store.findBySeq(seq);
  if (vm === undefined) {
    store.transaction(() => store.endOperation(seq));
    return;
  }
  switch (verb) {
    case "create":
    case "clone":
    case "delete":
      await removeVm(core, store, vm, verb);
      return;
    case "snapshot":
    case "hibernate":
      await recoverSave(core, store, vm, operation);
      return;
    case "restore":
    case "wake":
      await abandonRestore(core, store, vm, operation.data);
      break;
    case "attach":
    case "detach":
      await recoverDevice(core, store, vm, operation);
      return;
    case "add-nic":
    case "remove-nic":
      await recoverNic(core, store, vm, operation);
      return;
    case "stop":
      if (await stillRuns(core, vm)) break;
      await settle(core, store, vm);
      store.addEvent(vm, "vm.recovered", { verb, outcome: "finished" });
      return;
    default:
      await settle(core, store, vm);
  }
  store.transaction(() => {
    store.endOperation(seq);
    store.addEvent(vm, "vm.recovered", { verb, outcome: "undone" });
  });
}

async function recoverSave(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  { verb, data }: JournalEntry,
): Promise<void> {
  const snapshot =
    data.snapshotSeq === undefined ? undefined : store.findSnapshotBySeq(data.snapshotSeq);
  const isPublished = snapshot?.ready === true;
  const tell = (): void =>
    store.addEvent(vm, "vm.recovered", { verb, outcome: isPublished ? "finished" : "undone" });
  if (isPublished) await finishSave(core, store, vm.seq, verb as "snapshot" | "hibernate", tell);
  else {
    await undoSave(core, store, vm, snapshot);
    tell();
  }
}

async function recoverDevice(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  { seq, verb, data }: JournalEntry,
): Promise<void> {
  const attachment = vm.attachments?.find(({ id }) => id === data.deviceId);
  if (attachment === undefined) {
    store.transaction(() => store.endOperation(seq));
    return;
  }
  const now = await settleDevice(core, store, vm, attachment).catch((error: unknown) => {
    core.logger.warn(
      `what became of ${attachment.id} of ${vm.name} is open: ${(error as Error).message}`,
    );
    return leaveOpen(store, vm, attachment);
  });
  const isThere = now.attachments?.some(({ id }) => id === attachment.id) === true;
  const outcome = isThere === (verb === "attach") ? "finished" : "undone";
  store.addEvent(vm, "vm.recovered", { verb, outcome });
}

async function recoverNic(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  { seq, verb, data }: JournalEntry,
): Promise<void> {
  const { nic, deviceId } = data;
  if (nic === undefined || deviceId === undefined) {
    store.transaction(() => store.endOperation(seq));
    return;
  }
  const keep = isRepair(vm, verb, data);
  const now = await settleNic(core, store, vm, { nic, deviceId }, keep);
  const isThere = now.nics.some(({ tap }) => tap === nic.tap);
  const outcome = isThere === (verb === "add-nic") ? "finished" : "undone";
  store.addEvent(vm, "vm.recovered", { verb, outcome });
}

async function stillRuns(core: EngineCore, vm: VmRecord): Promise<boolean> {
  const backend = await core.backend(vm.backend);
  return endedState(core, vm, await backend.inspect(vm)) === undefined;
}

/** An interrupted start is undone. An interrupted stop is left at what it came to: the guest may still be shutting down. */
async function settle(core: EngineCore, store: Store, vm: VmRecord): Promise<void> {
  const ended = await endVm(core, vm);
  const state = vm.state === "running" ? "stopped" : vm.state;
  store.transaction(() => {
    store.updateVm({ ...ended, state, updatedAt: store.now() });
    store.endOperation(vm.seq);
  });
}
