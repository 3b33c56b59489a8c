import { SilkError } from "../errors.ts";
import type { Console } from "../hypervisor.ts";
import { resolveVm } from "../refs.ts";
import type { EngineCore } from "./core.ts";

/** Attaches to a running VM's console. Takes no lock: a console stays open while others work on the VM. */
export async function attachConsole(
  core: EngineCore,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<Console> {
  const vm = core.read((store) => resolveVm(store, ref));
  if (vm.state !== "running")
    throw new SilkError(`the VM ${vm.name} does not run: its state is ${vm.state}`, {
      code: "VM_NOT_RUNNING",
      kind: "conflict",
      hint: `Start it first: silk vm start ${vm.name}`,
      details: { id: vm.id, name: vm.name, state: vm.state },
    });
  const backend = await core.backend(vm.backend);
  return await backend.console(vm, { signal });
}
