import type { DeviceKind } from "../devices/device-kind.ts";
import { resolveVm } from "../refs.ts";
import type { Attachment, DeviceData } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { hotPlug, keptAttachments, trueAttachments } from "./device-kinds.ts";
import type { DeviceView } from "./types.ts";

/** The devices of one kind that a VM has, or gets again when it is started. Writes nothing. */
export async function listDevices<R, D extends DeviceData>(
  core: EngineCore,
  ref: string,
  kind: DeviceKind<R, D>,
  signal: AbortSignal | undefined,
): Promise<readonly DeviceView<D>[]> {
  const vm = core.read((store) => resolveVm(store, ref));
  await hotPlug(core, vm, kind);
  const ofKind = (all: readonly Attachment[]): readonly Attachment<D>[] =>
    all.filter((one) => one.kind === kind.name) as Attachment<D>[];
  if (ofKind(vm.attachments ?? []).length === 0) return [];
  const backend = await core.backend(vm.backend);
  const observed = await backend.inspect(vm, { signal });
  const runs = observed.vmm !== "absent" && observed.vmm !== "ended";
  if (!runs) return ofKind(keptAttachments(vm));
  return ofKind(trueAttachments(vm, observed)).map((one) => {
    const bdf = observed.devices?.find(({ id }) => id === one.id)?.bdf;
    return bdf === undefined ? one : { ...one, bdf };
  });
}
