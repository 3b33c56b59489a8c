import type { DeviceKind } from "../devices/device-kind.ts";
import { SilkError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { Attachment, DeviceData, VmRecord } from "../vm/record.ts";
import { checkChangeable } from "./attach-device.ts";
import type { EngineCore } from "./core.ts";
import { deviceKind, hotPlug, withAttachment, withoutAttachment } from "./device-kinds.ts";
import { withVm } from "./locked.ts";
import { releaseDevice } from "./release-devices.ts";
import type { ChangeOptions } from "./types.ts";

/**
 * Takes a device from a VM that runs: asks the guest to let go of it, waits until it has, and gives its host's side back. Where the guest does not
 * let go the call fails, and can be made again. Of a VM that does not run: it does not get the device again.
 */
export async function detachDevice<R, D extends DeviceData>(
  core: EngineCore,
  ref: string,
  kind: DeviceKind<R, D>,
  id: string,
  options: ChangeOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  await deviceKind(core, kind.name);
  return await withVm(core, ref, options, signal, async ({ store, vm }) => {
    const attachment = vm.attachments?.find((one) => one.kind === kind.name && one.id === id);
    if (attachment === undefined) throw deviceNotFound(vm, kind, id);
    const device = { kind: attachment.kind, id, data: attachment.data };
    await core.hooks.before("vm:before-detach", { vm, device }, signal);
    const context = core.context(options, signal);
    if (vm.state !== "running") {
      await releaseDevice(core, vm, attachment);
      store.transaction(() =>
        store.updateVm({ ...withoutAttachment(vm, id), updatedAt: store.now() }),
      );
    } else {
      const plug = await hotPlug(core, vm, kind);
      await checkChangeable(core, vm);
      await detach(core, store, vm, attachment, (leaving) => plug.remove(leaving, id, context));
    }
    await core.hooks.after("vm:after-detach", { vm, device }, context.warn);
  });
}

async function detach(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  attachment: Attachment,
  remove: (vm: VmRecord) => Promise<void>,
): Promise<void> {
  const { id } = attachment;
  const began = core.host.clock.monotonicMs();
  const leaving = withAttachment(vm, { ...attachment, state: "detaching" });
  store.transaction(() => {
    store.updateVm(leaving);
    store.beginOperation(vm, "detach", { deviceId: id });
  });
  try {
    await remove(leaving);
    await releaseDevice(core, leaving, attachment);
  } catch (error) {
    // It stays `detaching`: what is asked of a guest cannot be taken back.
    store.transaction(() => store.endOperation(vm.seq));
    throw error;
  }
  const tookMs = Math.round(core.host.clock.monotonicMs() - began);
  store.transaction(() => {
    store.updateVm({ ...withoutAttachment(vm, id), updatedAt: store.now() });
    store.endOperation(vm.seq);
    store.addEvent(vm, "device.detached", { kind: attachment.kind, deviceId: id, tookMs });
  });
}

function deviceNotFound<R, D extends DeviceData>(
  vm: VmRecord,
  { name, noun }: DeviceKind<R, D>,
  id: string,
): SilkError {
  const ids = (vm.attachments ?? []).flatMap((one) => (one.kind === name ? one.id : []));
  return new SilkError(`the VM ${vm.name} does not have ${noun} ${id}`, {
    code: "DEVICE_NOT_FOUND",
    kind: "not-found",
    hint: ids.length === 0 ? "It has none that was attached." : `It has ${ids.join(", ")}.`,
    details: { id: vm.id, name: vm.name, deviceId: id, known: ids },
  });
}
