import type { Store } from "../store/store.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { endVm } from "./end-vm.ts";
import { removeVm } from "./remove.ts";
import { endedState } from "./reconcile.ts";

/**
 * Finishes or undoes every operation whose owner has died. A free lock is the proof of that: there is no age after which an operation
 * counts as dead. What cannot be recovered now is left for the next command, and said in the log.
 */
export async function recoverAll(core: EngineCore, store: Store): Promise<void> {
  for (const { vmSeq, vmId, verb } of store.listOperations()) {
    await using lock = await core.host.locks.acquire(core.lockPath, vmSeq, { waitMs: 0 });
    if (lock === undefined) continue;
    try {
      await recoverVm(core, store, vmSeq);
    } catch (error) {
      core.logger.warn(
        `the interrupted "${verb}" of the VM ${vmId} cannot be recovered yet: ${(error as Error).message}`,
      );
    }
  }
}

/** With the VM's lock held: finishes or undoes its interrupted operation, where there is one. */
export async function recoverVm(core: EngineCore, store: Store, seq: number): Promise<void> {
  const operation = store.findOperation(seq);
  if (operation === undefined) return;
  const vm = store.findBySeq(seq);
  if (vm === undefined) {
    store.transaction(() => store.endOperation(seq));
    return;
  }
  core.logger.info(`recovering the interrupted "${operation.verb}" of the VM ${vm.name}`);
  if (operation.verb === "create" || operation.verb === "delete")
    await removeVm(core, store, vm, operation.verb);
  else await settle(core, store, vm, operation.verb);
}

/** An interrupted start is undone. An interrupted stop is left at what it came to: the guest may still be shutting down. */
async function settle(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  verb: "start" | "stop",
): Promise<void> {
  const backend = await core.backend(vm.backend);
  if (verb === "stop" && endedState(core, vm, await backend.inspect(vm)) === undefined) {
    store.transaction(() => {
      store.endOperation(vm.seq);
      store.addEvent(vm, "vm.recovered", { verb, outcome: "undone" });
    });
    return;
  }
  await endVm(core, vm);
  const { runtime: _runtime, ...rest } = vm;
  const state = vm.state === "running" ? "stopped" : vm.state;
  store.transaction(() => {
    store.updateVm({ ...rest, state, updatedAt: store.now() });
    store.endOperation(vm.seq);
    store.addEvent(vm, "vm.recovered", { verb, outcome: verb === "stop" ? "finished" : "undone" });
  });
}
