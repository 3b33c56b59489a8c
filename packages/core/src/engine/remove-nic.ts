import type { LeavingNic, Nic, VmRecord } from "../vm/record.ts";
import type { NicChangeContext } from "./change-nics.ts";
import { defaultGraceMs } from "./device-kinds.ts";
import { detachNics } from "./network-of.ts";
import { deviceOf, nicPlug, settleNic, withoutNic } from "./nic-change.ts";

/**
 * With the VM's lock held: takes a NIC from the VM: asks the guest to let go of it, waits until it has, and removes its host's side. Where the guest does not
 * let go, the NIC is remembered as leaving.
 */
export async function removeNic(
  change: NicChangeContext,
  vm: VmRecord,
  nic: Nic,
): Promise<VmRecord> {
  const { core, options, signal } = change;
  const found =
    vm.state === "running"
      ? deviceOf(nic, await (await nicPlug(core, vm)).list(vm, core.context(options, signal)))
      : undefined;
  // A NIC that no VMM has is no device of any.
  return await remove(change, vm, { nic, deviceId: found?.deviceId ?? "" });
}

/** With the VM's lock held: finishes the removal of a NIC that the guest was asked for before. */
export function releaseLeavingNic(
  change: NicChangeContext,
  vm: VmRecord,
  leaving: LeavingNic,
): Promise<VmRecord> {
  return remove(change, vm, leaving);
}

async function remove(
  { core, store, options, signal }: NicChangeContext,
  vm: VmRecord,
  { nic, deviceId }: LeavingNic,
): Promise<VmRecord> {
  const context = core.context(options, signal);
  const { graceMs = defaultGraceMs } = options;
  const device = { kind: "nic", id: deviceId, data: { ...nic } };
  await core.hooks.before("vm:before-detach", { vm, device }, signal);
  const began = core.host.clock.monotonicMs();
  store.transaction(() => store.beginOperation(vm, "remove-nic", { nic, deviceId }));
  let removed: VmRecord;
  try {
    context.progress(`removing the NIC ${nic.tap}`);
    if (vm.state === "running" && deviceId !== "")
      await (await nicPlug(core, vm)).remove(vm, deviceId, { ...context, graceMs });
    // From here on the guest has it no more: it is brought to its end, whatever the caller wants by now.
    await detachNics(core, vm, [nic]);
    removed = { ...withoutNic(vm, nic), updatedAt: store.now() };
    const tookMs = Math.round(core.host.clock.monotonicMs() - began);
    store.transaction(() => {
      store.updateVm(removed);
      store.endOperation(vm.seq);
      store.addEvent(vm, "device.detached", { kind: "nic", deviceId, tookMs });
    });
  } catch (error) {
    await undoRemove().catch((left: unknown) => {
      context.warn(
        `the NIC ${nic.tap} is left half removed, the next command sees to it: ${(left as Error).message}`,
      );
    });
    throw error;
  }
  await core.hooks.after("vm:after-detach", { vm: removed, device }, context.warn);
  return removed;

  /** The guest may have been asked, and what is asked of a guest cannot be taken back: by what is true, the NIC stays or is leaving. */
  async function undoRemove(): Promise<void> {
    if (store.findOperation(vm.seq) === undefined) return;
    await settleNic(core, store, vm, { nic, deviceId }, false);
  }
}
