import type { DeviceKind } from "../devices/device-kind.ts";
import { SilkError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { Attachment, DeviceData, VmRecord } from "../vm/record.ts";
import { checkChangeable } from "./attach-device.ts";
import type { EngineCore } from "./core.ts";
import {
  defaultGraceMs,
  deviceKind,
  hotPlug,
  nameOf,
  withAttachment,
  withoutAttachment,
} from "./device-kinds.ts";
import { withVm } from "./locked.ts";
import { releaseDevice } from "./release-devices.ts";
import type { DetachOptions } from "./types.ts";

/**
 * Takes a device from a VM that runs: asks the guest to let go of it, waits until it has, and gives its host's side back. Where the guest does not
 * let go the call fails, and can be made again. Of a VM that does not run: it does not get the device again.
 */
export async function detachDevice<R, D extends DeviceData>(
  core: EngineCore,
  ref: string,
  kind: DeviceKind<R, D>,
  device: string,
  options: DetachOptions,
  signal: AbortSignal | undefined,
): Promise<Attachment<D>> {
  await deviceKind(core, kind.name);
  return await withVm(core, ref, options, signal, async ({ store, vm }) => {
    const ours = (vm.attachments ?? []).filter((one) => one.kind === kind.name);
    const attachment = find(ours as Attachment<D>[], kind, device);
    if (attachment === undefined) throw deviceNotFound(vm, kind, ours as Attachment<D>[], device);
    const { id, data } = attachment;
    const hooked = { kind: kind.name, id, data };
    const context = core.context(options, signal);
    const runs = vm.state === "running";
    const plug = await hotPlug(core, vm, kind);
    if (runs) await checkChangeable(core, vm);
    await core.hooks.before("vm:before-detach", { vm, device: hooked }, signal);
    const { graceMs = defaultGraceMs } = options;
    const now = await detach(core, store, vm, attachment, async (leaving) => {
      if (runs) await plug.remove(leaving, id, { ...context, graceMs });
    });
    await core.hooks.after("vm:after-detach", { vm: now, device: hooked }, context.warn);
    return attachment;
  });
}

async function detach(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  attachment: Attachment,
  remove: (vm: VmRecord) => Promise<void>,
): Promise<VmRecord> {
  const { id } = attachment;
  const began = core.host.clock.monotonicMs();
  const leaving = withAttachment(vm, { ...attachment, state: "detaching", keep: false });
  const without = { ...withoutAttachment(vm, id), updatedAt: store.now() };
  try {
    store.transaction(() => {
      store.updateVm(leaving);
      store.beginOperation(vm, "detach", { deviceId: id });
    });
    await remove(leaving);
    await releaseDevice(core, leaving, attachment);
    const tookMs = Math.round(core.host.clock.monotonicMs() - began);
    store.transaction(() => {
      store.updateVm(without);
      store.endOperation(vm.seq);
      store.addEvent(vm, "device.detached", { kind: attachment.kind, deviceId: id, tookMs });
    });
  } catch (error) {
    // It stays `detaching`: what is asked of a guest cannot be taken back.
    store.transaction(() => store.endOperation(vm.seq));
    throw error;
  }
  return without;
}

/** A device by its id, or by what a user calls it. */
function find<R, D extends DeviceData>(
  attachments: readonly Attachment<D>[],
  kind: DeviceKind<R, D>,
  device: string,
): Attachment<D> | undefined {
  return (
    attachments.find(({ id }) => id === device) ??
    attachments.find((one) => nameOf(kind, one) === device)
  );
}

function deviceNotFound<R, D extends DeviceData>(
  vm: VmRecord,
  kind: DeviceKind<R, D>,
  attachments: readonly Attachment<D>[],
  device: string,
): SilkError {
  const known = attachments.map((one) => nameOf(kind, one));
  return new SilkError(`the VM ${vm.name} does not have ${kind.noun} ${device}`, {
    code: "DEVICE_NOT_FOUND",
    kind: "not-found",
    hint: known.length === 0 ? "It has none that was attached." : `It has ${known.join(", ")}.`,
    details: { id: vm.id, name: vm.name, device, known },
  });
}
