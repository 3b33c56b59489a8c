import type { OperationData } from "../store/journal.ts";
import type { Store } from "../store/store.ts";
import type { VmProblem, VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { endVm } from "./end-vm.ts";

/**
 * With the VM's lock held: settles a restore that did not come to its end. A VM that it had not touched is as it was; one that it had
 * touched does not run, has the snapshot's disks, and says what happened: it can be restored again, or started from its disks.
 * @param problem why; default: that it was interrupted
 */
export async function abandonRestore(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  { touched }: OperationData,
  problem?: Omit<VmProblem, "at">,
): Promise<void> {
  const backend = await core.backend(vm.backend);
  if (touched !== true) {
    await backend.recover(vm, core.context({}, undefined));
    return;
  }
  const ended = await endVm(core, vm);
  await backend.recover(vm, core.context({}, undefined));
  const at = core.now();
  store.transaction(() =>
    store.updateVm({
      ...ended,
      state: "error",
      problem: { ...(problem ?? interrupted), at },
      updatedAt: at,
    }),
  );
}

const interrupted = {
  code: "RESTORE_INTERRUPTED",
  message: "its restore was interrupted; restore it again, or start it from its disks",
} as const;
