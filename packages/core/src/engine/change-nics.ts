import { SilkError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { LeavingNic, Nic, VmRecord } from "../vm/record.ts";
import { addNic } from "./add-nic.ts";
import { checkChangeable } from "./attach-device.ts";
import type { EngineCore } from "./core.ts";
import { viewNics } from "./list-nics.ts";
import { withVm } from "./locked.ts";
import { nicPlug } from "./nic-change.ts";
import { releaseLeavingNic, removeNic } from "./remove-nic.ts";
import type { ChangeNicsOptions, NicChange } from "./types.ts";

/** What the steps of a change of NICs have in common. */
export interface NicChangeContext {
  readonly core: EngineCore;
  readonly store: Store;
  readonly options: ChangeNicsOptions;
  readonly signal: AbortSignal | undefined;
}

/**
 * Changes the NICs of a VM one at a time, with its lock held for all of it. Each step is whole or undone before the next one begins; one that was killed
 * is settled by whoever comes next.
 */
export function changeNics<T>(
  core: EngineCore,
  ref: string,
  run: (change: NicChange) => Promise<T>,
  options: ChangeNicsOptions,
  signal: AbortSignal | undefined,
): Promise<T> {
  return withVm(core, ref, options, signal, async ({ store, vm }) => {
    await checkNicsChangeable(core, vm);
    const context: NicChangeContext = { core, store, options, signal };
    let now = vm;
    const step = async (take: () => Promise<VmRecord>): Promise<VmRecord> => {
      signal?.throwIfAborted();
      try {
        now = await take();
        return now;
      } catch (error) {
        // Undoing it may have changed the record all the same.
        now = store.findBySeq(vm.seq) ?? now;
        throw error;
      }
    };
    return await run({
      get vm() {
        return now;
      },
      look: () => viewNics(core, now, signal),
      add: async () => (await step(() => addNic(context, now))).nics.at(-1) as Nic,
      addAgain: async (nic) => void (await step(() => addNic(context, now, nic))),
      remove: async (nic) => void (await step(() => removeNic(context, now, nic))),
      release: async (leaving: LeavingNic) =>
        void (await step(() => releaseLeavingNic(context, now, leaving))),
    });
  });
}

/** A VM that runs must be able to take the change; one that does not has it at its next start. @throws SilkError `VM_PAUSED`, `VM_HIBERNATES`, `CAPABILITY_MISSING` */
async function checkNicsChangeable(core: EngineCore, vm: VmRecord): Promise<void> {
  if (vm.hibernatedIn !== undefined)
    throw new SilkError(`the VM ${vm.name} hibernates, with the NICs that it has`, {
      code: "VM_HIBERNATES",
      kind: "conflict",
      hint: `Let it go on first: silk vm wake ${vm.name}`,
      details: { id: vm.id, name: vm.name },
    });
  if (vm.state !== "running") return;
  await nicPlug(core, vm);
  await checkChangeable(core, vm);
}
