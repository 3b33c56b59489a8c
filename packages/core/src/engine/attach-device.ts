import type { DeviceKind, HotPlug, PlannedDevice } from "../devices/device-kind.ts";
import { SilkError } from "../errors.ts";
import type { OperationContext, VmObservation } from "../hypervisor.ts";
import type { Store } from "../store/store.ts";
import type { Attachment, DeviceData, VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import {
  defaultGraceMs,
  deviceContext,
  deviceKind,
  hotPlug,
  nameOf,
  trueAttachments,
  withAttachment,
  withAttachments,
} from "./device-kinds.ts";
import { withVm } from "./locked.ts";
import { leaveOpen, settleDetaching, settleDevice } from "./settle-device.ts";
import { settleOwners } from "./settle-owners.ts";
import type { AttachOptions, DeviceView } from "./types.ts";

/**
 * Adds a device to a VM that runs, or with `keep` also to one that does not, which gets it at its next start. What fails leaves the VM, and the host, as
 * they were.
 */
export async function attachDevice<R, D extends DeviceData>(
  core: EngineCore,
  ref: string,
  kind: DeviceKind<R, D>,
  request: R,
  options: AttachOptions,
  signal: AbortSignal | undefined,
): Promise<DeviceView<D>> {
  // Whoever finds the device after a crash knows its kind by its name alone.
  await deviceKind(core, kind.name);
  return await withVm(core, ref, options, signal, async ({ store, vm: found }) => {
    const plug = await hotPlug(core, found, kind);
    if (options.keep === true && (found.state === "created" || found.state === "stopped"))
      return await keepDevice(core, store, found, { kind, request, options, signal });
    const observed = await checkChangeable(core, found);
    const seen = withAttachments(found, trueAttachments(found, observed));
    const vm = await settleDetaching(core, store, seen);
    await settleOwners(core, store, vm, kind.name);
    const context = deviceContext(core, vm, kind.name, core.context(options, signal));
    const planned = await kind.plan(vm, request, context);
    refuseTaken(vm, kind, planned);
    await refusePresent(plug, vm, planned.id, context);
    const device = { kind: kind.name, ...planned };
    await core.hooks.before("vm:before-attach", { vm, device }, signal);
    const began = core.host.clock.monotonicMs();
    const attaching = { ...device, state: "attaching" as const, ...keptBy(options) };
    const reserved = withAttachment(vm, attaching);
    let bdf: string | undefined;
    const attached: Attachment<D> = { ...attaching, state: "attached" };
    const has: VmRecord = { ...withAttachment(vm, attached), updatedAt: store.now() };
    try {
      store.transaction(() => {
        store.updateVm(reserved);
        store.beginOperation(vm, "attach", { deviceId: planned.id });
      });
      await kind.prepare?.(reserved, planned, context);
      signal?.throwIfAborted();
      ({ bdf } = await plug.add(reserved, planned, context));
      const tookMs = Math.round(core.host.clock.monotonicMs() - began);
      store.transaction(() => {
        store.updateVm(has);
        store.endOperation(vm.seq);
        store.addEvent(vm, "device.attached", { kind: kind.name, deviceId: planned.id, tookMs });
      });
    } catch (error) {
      await undoAttach(core, store, reserved, attaching).catch((left: unknown) => {
        context.warn(
          `what was made of the device could not be removed yet, the next command will: ${(left as Error).message}`,
        );
      });
      throw error;
    }
    await core.hooks.after("vm:after-attach", { vm: has, device }, context.warn);
    return { ...attached, ...(bdf === undefined ? {} : { bdf }) };
  });
}

/** Notes a device for the next start of a VM that does not run. */
async function keepDevice<R, D extends DeviceData>(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  {
    kind,
    request,
    options,
    signal,
  }: {
    readonly kind: DeviceKind<R, D>;
    readonly request: R;
    readonly options: AttachOptions;
    readonly signal: AbortSignal | undefined;
  },
): Promise<DeviceView<D>> {
  const context = deviceContext(core, vm, kind.name, core.context(options, signal));
  const planned = await kind.plan(vm, request, context);
  const other = vm.attachments?.find(({ id }) => id === planned.id);
  if (other !== undefined) throw deviceExists(vm, kind, planned);
  const device = { kind: kind.name, ...planned };
  await core.hooks.before("vm:before-attach", { vm, device }, signal);
  signal?.throwIfAborted();
  const kept: Attachment<D> = { ...device, state: "detached", ...keptBy(options) };
  const has: VmRecord = { ...withAttachment(vm, kept), updatedAt: store.now() };
  store.transaction(() => store.updateVm(has));
  await core.hooks.after("vm:after-attach", { vm: has, device }, context.warn);
  return kept;
}

function keptBy({
  keep = false,
  required = false,
}: AttachOptions): Pick<Attachment, "keep" | "required"> {
  return { keep, ...(keep && required ? { required } : {}) };
}

/** The VMM may have got the device all the same, though its answer was an error, or none. */
async function undoAttach(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  attaching: Attachment,
): Promise<void> {
  // It was not begun; or it had come to its end, and only that could not be told.
  if (store.findOperation(vm.seq) === undefined) return;
  try {
    const context = core.context({}, undefined);
    const plug = await hotPlug(core, vm, await deviceKind(core, attaching.kind));
    if (!(await plug.isPresent(vm, attaching.id, context))) {
      await settleDevice(core, store, vm, attaching);
      return;
    }
    // What a guest is asked to let go of cannot be kept, also if it takes its time.
    const leaving: Attachment = { ...attaching, state: "detaching", keep: false };
    store.transaction(() => store.updateVm(withAttachment(vm, leaving)));
    await plug.remove(vm, attaching.id, { ...context, graceMs: defaultGraceMs });
    await settleDevice(core, store, vm, leaving);
  } catch (error) {
    leaveOpen(store, vm, attaching);
    throw error;
  }
}

/**
 * Devices are changed while the guest runs.
 * @throws SilkError `VM_NOT_RUNNING`, `VM_PAUSED`
 */
export async function checkChangeable(core: EngineCore, vm: VmRecord): Promise<VmObservation> {
  const details = { id: vm.id, name: vm.name, state: vm.state };
  if (vm.state !== "running")
    throw new SilkError(`the VM ${vm.name} does not run`, {
      code: "VM_NOT_RUNNING",
      kind: "conflict",
      hint: `Start it first: silk vm start ${vm.name}`,
      details,
    });
  const backend = await core.backend(vm.backend);
  const observed = await backend.inspect(vm);
  if (observed.vmm !== "paused") return observed;
  throw new SilkError(`the VM ${vm.name} is paused`, {
    code: "VM_PAUSED",
    kind: "busy",
    hint: "Run the command again when it runs.",
    details,
  });
}

/** A device that the VMM has and silk did not add: what undoes the attachment would take that one away. @throws SilkError `DEVICE_EXISTS` */
async function refusePresent<D extends DeviceData>(
  plug: HotPlug<D>,
  vm: VmRecord,
  id: string,
  context: OperationContext,
): Promise<void> {
  if (!(await plug.isPresent(vm, id, context))) return;
  throw new SilkError(`the VM ${vm.name} has a device ${id} already, which silk did not attach`, {
    code: "DEVICE_EXISTS",
    kind: "conflict",
    hint: "Choose another name.",
    details: { id: vm.id, name: vm.name, deviceId: id },
  });
}

/** @throws SilkError `DEVICE_EXISTS`, `DEVICE_LEAVING` */
function refuseTaken<R, D extends DeviceData>(
  vm: VmRecord,
  kind: DeviceKind<R, D>,
  planned: PlannedDevice<D>,
): void {
  const { id } = planned;
  const name = nameOf(kind, planned);
  const other = vm.attachments?.find((attachment) => attachment.id === id);
  if (other === undefined || other.state === "detached") return;
  const details = { id: vm.id, name: vm.name, deviceId: id };
  if (other.state === "detaching")
    throw new SilkError(`the guest of ${vm.name} has not let go of ${kind.noun} ${name} yet`, {
      code: "DEVICE_LEAVING",
      kind: "busy",
      hint: "Detach it again to wait for that, or choose another name.",
      details,
    });
  throw deviceExists(vm, kind, planned);
}

function deviceExists<R, D extends DeviceData>(
  vm: VmRecord,
  kind: DeviceKind<R, D>,
  planned: PlannedDevice<D>,
): SilkError {
  return new SilkError(`the VM ${vm.name} has ${kind.noun} ${nameOf(kind, planned)} already`, {
    code: "DEVICE_EXISTS",
    kind: "conflict",
    hint: "Detach it first, or choose another name.",
    details: { id: vm.id, name: vm.name, deviceId: planned.id },
  });
}
