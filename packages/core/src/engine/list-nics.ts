import { netResize, type VmmNic } from "../devices/net-resize.ts";
import { resolveVm } from "../refs.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { deviceOf } from "./nic-change.ts";
import type { NicView } from "./types.ts";

/** The NICs of a VM: the record and the truth. Writes nothing. */
export async function listNics(
  core: EngineCore,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<readonly NicView[]> {
  const vm = core.read((store) => resolveVm(store, ref));
  return await viewNics(core, vm, signal);
}

export async function viewNics(
  core: EngineCore,
  vm: VmRecord,
  signal: AbortSignal | undefined,
): Promise<readonly NicView[]> {
  const backend = await core.backend(vm.backend);
  const plug = backend.capability(netResize);
  const [observed] = vm.state === "running" ? await backend.list([vm], { signal }) : [];
  const runs = observed !== undefined && observed.vmm !== "absent" && observed.vmm !== "ended";
  const context = core.context({}, signal);
  const found: readonly VmmNic[] | undefined = runs ? await plug?.list(vm, context) : undefined;
  const own = vm.nics.map((nic): NicView => {
    if (!runs) return { ...nic, state: "detached" };
    if (found === undefined) return { ...nic, state: "attached" };
    const device = deviceOf(nic, found);
    if (device === undefined) return { ...nic, state: "missing" };
    const { deviceId, bdf } = device;
    return { ...nic, state: "attached", deviceId, ...(bdf === undefined ? {} : { bdf }) };
  });
  const leaving = (vm.leavingNics ?? []).map(({ nic, deviceId }): NicView => ({
    ...nic,
    state: "leaving",
    deviceId,
  }));
  return [...own, ...leaving];
}
