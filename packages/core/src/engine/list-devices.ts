import type { DeviceKind } from "../devices/device-kind.ts";
import { resolveVm } from "../refs.ts";
import type { Attachment, DeviceData } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { hotPlug, keptAttachments } from "./device-kinds.ts";
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
  const ours = (vm.attachments ?? []).filter((one) => one.kind === kind.name) as Attachment<D>[];
  if (ours.length === 0) return [];
  const backend = await core.backend(vm.backend);
  const observed = await backend.inspect(vm, { signal });
  const runs = observed.vmm !== "absent" && observed.vmm !== "ended";
  if (!runs) return keptAttachments(vm).filter((one) => one.kind === kind.name) as Attachment<D>[];
  return ours.map((one) => {
    const bdf = observed.devices?.find(({ id }) => id === one.id)?.bdf;
    return bdf === undefined ? one : { ...one, bdf };
  });
}
