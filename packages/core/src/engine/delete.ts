import { SilkError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { deleteSnapshotHeld } from "./delete-snapshot.ts";
import { withVm } from "./locked.ts";
import { removeVm } from "./remove.ts";
import type { DeleteOptions } from "./types.ts";

/** Removes a VM with all that silk made for it. What fails half-way can be run again. */
export function deleteVm(
  core: EngineCore,
  ref: string,
  options: DeleteOptions,
  signal: AbortSignal | undefined,
): Promise<VmRecord> {
  return withVm(core, ref, options, signal, async ({ store, vm }) => {
    const force = options.force ?? false;
    if (vm.state === "running" && !force)
      throw new SilkError(`the VM ${vm.name} runs`, {
        code: "VM_RUNNING",
        kind: "conflict",
        hint: `Stop it first (silk vm stop ${vm.name}), or give --force.`,
        details: { id: vm.id, name: vm.name },
      });
    await core.hooks.before("vm:before-delete", { vm, force }, signal);
    signal?.throwIfAborted();
    const context = core.context(options, signal);
    store.transaction(() => store.beginOperation(vm, "delete"));
    await removeVm(core, store, vm, "delete");
    await removeHibernation(core, store, vm, options);
    await core.hooks.after("vm:after-delete", { vm }, context.warn);
    return vm;
  });
}

/** The memory of a VM that hibernated without a name for it is of use to nobody any more. */
async function removeHibernation(
  core: EngineCore,
  store: Store,
  { hibernatedIn }: VmRecord,
  options: DeleteOptions,
): Promise<void> {
  const snapshot = hibernatedIn === undefined ? undefined : store.findSnapshot("id", hibernatedIn);
  if (snapshot?.temporary !== true) return;
  await deleteSnapshotHeld(core, store, snapshot, options, undefined).catch((error: unknown) => {
    core.warn(
      options,
      `the snapshot ${snapshot.name} that it hibernated in is left: ${(error as Error).message}`,
    );
  });
}
