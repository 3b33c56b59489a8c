import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { releaseNics } from "./network-of.ts";
import { releaseDevices } from "./release-devices.ts";

/**
 * With the VM's lock held: ends whatever still runs of the VM, without asking the guest.
 * @returns the record of a VM that does not run; its state is the caller's to say
 */
export async function endVm(core: EngineCore, vm: VmRecord): Promise<VmRecord> {
  const backend = await core.backend(vm.backend);
  await backend.stop(vm, { force: true, graceMs: 0 }, core.context({}, undefined));
  return await clearAfterVmm(core, vm);
}

/** With the VM's lock held, its VMM dead: clears away its sockets, and gives back what its devices hold of the host. */
export async function clearAfterVmm(core: EngineCore, vm: VmRecord): Promise<VmRecord> {
  const released = await releaseNics(core, await releaseDevices(core, vm));
  const { runtime: _runtime, ...rest } = released;
  await core.host.files.remove(core.paths(vm).runDir);
  return rest;
}
