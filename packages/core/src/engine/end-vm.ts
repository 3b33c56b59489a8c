import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";

/** With the VM's lock held: ends whatever still runs of the VM, without asking the guest, and clears away its sockets. */
export async function endVm(core: EngineCore, vm: VmRecord): Promise<void> {
  const backend = await core.backend(vm.backend);
  await backend.stop(vm, { force: true, graceMs: 0 }, core.context({}, undefined));
  await core.host.files.remove(core.paths(vm).runDir);
}
