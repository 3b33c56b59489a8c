import type { Store } from "../store/store.ts";
import type { Attachment, VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { deviceKind, hotPlug, withAttachment, withoutAttachment } from "./device-kinds.ts";
import { releaseDevice } from "./release-devices.ts";

/**
 * With the VM's lock held: brings the record of a device that was being attached or detached to what is true. One that the VMM has stays, one
 * that it has not is released and forgotten. One whose host side cannot be given back is `detaching`, and that is thrown.
 * @returns the record as it was written
 */
export async function settleDevice(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  attachment: Attachment,
): Promise<VmRecord> {
  const plug = await hotPlug(core, vm, await deviceKind(core, attachment.kind));
  const isPresent = await plug.isPresent(vm, attachment.id, core.context({}, undefined));
  if (!isPresent)
    try {
      await releaseDevice(core, vm, attachment);
    } catch (error) {
      // It stays, to be given back later. The operation does not: the VM's other verbs would all fail of it.
      const leaving = withAttachment(vm, { ...attachment, state: "detaching" });
      store.transaction(() => {
        store.updateVm({ ...leaving, updatedAt: store.now() });
        store.endOperation(vm.seq);
      });
      throw error;
    }
  const state = attachment.state === "attaching" ? "attached" : attachment.state;
  const settled = isPresent
    ? withAttachment(vm, { ...attachment, state })
    : withoutAttachment(vm, attachment.id);
  const now = { ...settled, updatedAt: store.now() };
  store.transaction(() => {
    store.updateVm(now);
    store.endOperation(vm.seq);
  });
  return now;
}

/**
 * With the VM's lock held, where it cannot be told what became of a device: it counts as one that leaves. It can be detached, and is given back when
 * the VM ends, which a VMM that does not answer keeps nobody from.
 */
export function leaveOpen(store: Store, vm: VmRecord, attachment: Attachment): VmRecord {
  const leaving = withAttachment(vm, { ...attachment, state: "detaching", keep: false });
  const now = { ...leaving, updatedAt: store.now() };
  store.transaction(() => {
    store.updateVm(now);
    store.endOperation(vm.seq);
  });
  return now;
}

/**
 * With the VM's lock held: forgets devices that the guest has let go of since it was asked to. One of which that cannot be told, or whose host
 * side cannot be given back, stays as it is, and is in nobody's way.
 */
export async function settleDetaching(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
): Promise<VmRecord> {
  let now = vm;
  for (const attachment of vm.attachments ?? []) {
    if (attachment.state !== "detaching") continue;
    const { kind, id: deviceId } = attachment;
    try {
      now = await settleDevice(core, store, now, attachment);
    } catch (error) {
      core.logger.warn(`${deviceId} of ${vm.name} is still detached: ${(error as Error).message}`);
      continue;
    }
    const isGone = now.attachments?.some(({ id }) => id === deviceId) !== true;
    if (isGone) store.addEvent(vm, "device.detached", { kind, deviceId });
  }
  return now;
}
