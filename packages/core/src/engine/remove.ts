import type { Store } from "../store/store.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";

/**
 * With the VM's lock held: ends what runs of the VM, removes what it has on the disk, and then its record. Can be run again after it
 * failed: the record goes last. An undone `create` is told as recovered only where it was not this process's own.
 */
export async function removeVm(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  why: "create" | "delete",
): Promise<void> {
  const backend = await core.backend(vm.backend);
  const context = core.context({}, undefined);
  await backend.stop(vm, { force: true, graceMs: 0 }, context);
  await backend.delete(vm, context);
  const { dataDir, runDir, logPath } = core.paths(vm);
  await core.host.files.remove(runDir);
  await core.host.files.remove(dataDir);
  await core.host.files.remove(logPath);
  store.transaction(
    () => {
      store.deleteVm(vm.seq);
      store.endOperation(vm.seq);
      if (why === "delete") store.addEvent(vm, "vm.deleted", {});
    },
    { durable: true },
  );
}
