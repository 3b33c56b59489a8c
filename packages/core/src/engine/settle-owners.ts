import type { Store } from "../store/store.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { reconcile } from "./reconcile.ts";

/**
 * With the lock of a VM held: other VMs that died by themselves give back the devices of one kind that they had, so that nobody is kept from a
 * device by a VM that does not run. One that somebody else works on is left to him.
 */
export async function settleOwners(
  core: EngineCore,
  store: Store,
  { id: self }: VmRecord,
  kind: string,
): Promise<void> {
  const owners = new Set(store.listAttachments(kind).map(({ vm }) => vm.id));
  owners.delete(self);
  for (const id of owners) {
    const owner = store.findById(id);
    if (owner?.runtime === undefined || core.host.processes.isAlive(owner.runtime.vmm)) continue;
    await using lock = await core.host.locks.acquire(core.lockPath, owner.seq, { waitMs: 0 });
    if (lock === undefined) continue;
    const held = store.findBySeq(owner.seq);
    if (held === undefined || store.findOperation(held.seq) !== undefined) continue;
    try {
      await reconcile(core, store, held);
    } catch (error) {
      core.logger.warn(
        `what the VM ${held.name} has left cannot be cleared away yet: ${(error as Error).message}`,
      );
    }
  }
}
