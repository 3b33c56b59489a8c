import type { HotPlug } from "../devices/device-kind.ts";
import { restated, type SilkError, toSilkError } from "../errors.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { Attachment, DeviceData, VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import {
  type AnyDeviceKind,
  deviceContext,
  deviceKind,
  hotPlug,
  withAttachment,
  withAttachments,
} from "./device-kinds.ts";

/**
 * With the VM's lock held, its VMM dead: gives back what its devices hold of the host. What cannot be given back now stays in the record, and is
 * tried again by whoever ends or removes the VM next.
 * @returns the record without those devices; what it is to have again at its next start is kept in it
 */
export async function releaseDevices(core: EngineCore, vm: VmRecord): Promise<VmRecord> {
  if (vm.attachments === undefined) return vm;
  const left: Attachment[] = [];
  for (const attachment of vm.attachments) {
    try {
      await releaseDevice(core, vm, attachment);
      if (attachment.keep) left.push({ ...attachment, state: "detached" });
    } catch (error) {
      core.logger.warn(
        `what ${attachment.id} of ${vm.name} holds of the host cannot be given back yet: ${(error as Error).message}`,
      );
      left.push({ ...attachment, state: "detaching" });
    }
  }
  return withAttachments(vm, left);
}

/** Gives back what one device holds of the host: its VMM has it no more. */
export async function releaseDevice(
  core: EngineCore,
  vm: VmRecord,
  attachment: Attachment,
): Promise<void> {
  const kind = await deviceKind(core, attachment.kind);
  await kind.release?.(
    vm,
    attachment,
    deviceContext(core, vm, kind.name, core.context({}, undefined)),
  );
}

/**
 * A VM whose VMM was just started gets the devices again that it is to keep. One that cannot be attached is told of, and stays out.
 * @param options `boots`: the guest does, and so it must have what is required
 * @throws what a required device failed at; what the backend throws where it cannot tell what came of one
 */
export async function attachKept(
  core: EngineCore,
  started: VmRecord,
  context: OperationContext,
  { boots = false }: { readonly boots?: boolean } = {},
): Promise<VmRecord> {
  let vm = started;
  for (const kept of started.attachments ?? []) {
    if (!kept.keep) continue;
    const stayOut = (error: unknown): void => {
      if (boots && kept.required === true) throw withDevice(error, kept);
      context.warn(`${kept.id} could not be attached again: ${(error as Error).message}`);
    };
    const state = await attachAgain(core, vm, kept, { ...context, stayOut });
    vm = withAttachment(vm, { ...kept, state });
  }
  return vm;
}

async function attachAgain(
  core: EngineCore,
  vm: VmRecord,
  kept: Attachment,
  { stayOut, ...context }: OperationContext & { readonly stayOut: (error: unknown) => void },
): Promise<Attachment["state"]> {
  let kind: AnyDeviceKind;
  let plug: HotPlug<DeviceData>;
  try {
    kind = await deviceKind(core, kept.kind);
    plug = await hotPlug(core, vm, kind);
    // What it held of the host could not be given back when the VM ended.
    if (kept.state === "detaching") await releaseDevice(core, vm, kept);
  } catch (error) {
    stayOut(error);
    return kept.state;
  }
  try {
    await kind.prepare?.(vm, kept, deviceContext(core, vm, kind.name, context));
    await plug.add(vm, kept, context);
    return "attached";
  } catch (error) {
    context.signal?.throwIfAborted();
    // The VMM may have got it all the same.
    if (await plug.isPresent(vm, kept.id, core.context({}, undefined))) return "attached";
    stayOut(error);
  }
  try {
    await releaseDevice(core, vm, kept);
    return "detached";
  } catch (error) {
    stayOut(error);
    return "detaching";
  }
}

/** The error with the device that it is about. */
function withDevice(thrown: unknown, { id }: Attachment): SilkError {
  const error = toSilkError(thrown);
  return restated(error, { details: { ...error.details, deviceId: id } });
}
