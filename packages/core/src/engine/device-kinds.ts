import { missingCapability } from "../capability.ts";
import type { DeviceContext, DeviceKind, HotPlug } from "../devices/device-kind.ts";
import { SilkError } from "../errors.ts";
import type { OperationContext, VmObservation } from "../hypervisor.ts";
import type { Attachment, DeviceData, VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";

/** A Linux guest lets go of a device within a second, a busy one within a few. */
export const defaultGraceMs = 15_000;

/** A kind of device as the engine handles it, whatever its requests and data are. */
export type AnyDeviceKind = DeviceKind<never, DeviceData>;

/**
 * The kind that a record names: it may be of a plugin that is not here any more.
 * @throws SilkError `DEVICE_KIND_UNKNOWN`
 */
export async function deviceKind(core: EngineCore, name: string): Promise<AnyDeviceKind> {
  const kind = core.deviceKinds.find((known) => known.name === name);
  if (kind !== undefined) return await kind.load();
  throw new SilkError(`no plugin brings devices of the kind "${name}"`, {
    code: "DEVICE_KIND_UNKNOWN",
    kind: "unsupported",
    hint: "Install the plugin that the device was attached with, or give it to createEngine.",
    details: { kind: name, known: core.deviceKinds.map((known) => known.name) },
  });
}

/** What a VM's backend does with a kind of devices. @throws SilkError `CAPABILITY_MISSING` */
export async function hotPlug<D extends DeviceData>(
  core: EngineCore,
  vm: VmRecord,
  kind: Pick<DeviceKind<never, D>, "capability">,
): Promise<HotPlug<D>> {
  const backend = await core.backend(vm.backend);
  const plug = backend.capability(kind.capability);
  if (plug === undefined) throw missingCapability(backend.name, kind.capability);
  return plug;
}

export function deviceContext(
  core: EngineCore,
  vm: VmRecord,
  kind: string,
  context: OperationContext,
): DeviceContext {
  return {
    ...context,
    host: core.host,
    config: core.config,
    rootDir: core.config.rootDir,
    paths: core.paths(vm),
    scope: core.scope,
    attached: () => core.read((store) => store?.listAttachments(kind) ?? []),
  };
}

/** What a user calls a device. */
export function nameOf<R, D extends DeviceData>(
  kind: DeviceKind<R, D>,
  { id, data }: { readonly id: string; readonly data: D },
): string {
  return kind.nameOf?.(data) ?? id;
}

/** The record with a device added, or changed. */
export function withAttachment(vm: VmRecord, attachment: Attachment): VmRecord {
  const others = (vm.attachments ?? []).filter(({ id }) => id !== attachment.id);
  return { ...vm, attachments: [...others, attachment] };
}

export function withoutAttachment(vm: VmRecord, id: string): VmRecord {
  return withAttachments(
    vm,
    (vm.attachments ?? []).filter((attachment) => attachment.id !== id),
  );
}

export function withAttachments(vm: VmRecord, attachments: readonly Attachment[]): VmRecord {
  const { attachments: _attachments, ...rest } = vm;
  return attachments.length === 0 ? rest : { ...rest, attachments };
}

/** The devices of a VM that runs. One that its VMM has lost, by whoever's hand, is there to be detached: what it holds of the host is held. */
export function trueAttachments(vm: VmRecord, { devices }: VmObservation): readonly Attachment[] {
  return (vm.attachments ?? []).map((one) =>
    one.state !== "attached" || devices === undefined || devices.some(({ id }) => id === one.id)
      ? one
      : { ...one, state: "detaching" },
  );
}

/** The devices that a VM which does not run any more gets again when it is started. */
export function keptAttachments(vm: VmRecord): readonly Attachment[] {
  return (vm.attachments ?? [])
    .filter(({ keep }) => keep)
    .map((attachment) => ({ ...attachment, state: "detached" }));
}
