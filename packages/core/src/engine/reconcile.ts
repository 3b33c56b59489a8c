import type { VmObservation } from "../hypervisor.ts";
import type { Store } from "../store/store.ts";
import type { VmProblem, VmRecord, VmState } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { endVm } from "./end-vm.ts";
import { withExit } from "./guest-exit.ts";

/** What a running VM's record becomes once its VMM is gone. */
export interface Ended {
  readonly state: VmState;
  readonly problem: VmProblem | undefined;
  readonly clean: boolean;
}

/** Undefined while the VMM runs. */
export function endedState(
  core: EngineCore,
  vm: VmRecord,
  observed: VmObservation,
): Ended | undefined {
  if (observed.vmm === "ended") return { state: "stopped", problem: undefined, clean: true };
  if (observed.vmm !== "absent") return undefined;
  const { facts } = core.host;
  const problem =
    vm.runtime !== undefined && vm.runtime.vmm.bootId !== facts.bootId
      ? { code: "HOST_RESTARTED", message: "the host was restarted while it ran" }
      : { code: "VMM_DIED", message: "its VMM ended unexpectedly: it crashed or was killed" };
  return { state: "error", problem: { ...problem, at: core.now() }, clean: false };
}

/** With the VM's lock held: writes down that a VM has ended by itself, and clears away what its VMM left. */
export async function reconcile(core: EngineCore, store: Store, vm: VmRecord): Promise<VmRecord> {
  if (vm.state !== "running") return vm;
  const backend = await core.backend(vm.backend);
  const [observed] = await backend.list([vm]);
  const ended = observed === undefined ? undefined : endedState(core, vm, observed);
  if (ended === undefined) return vm;
  const now: VmRecord = {
    ...(await withExit(core, await endVm(core, vm))),
    state: ended.state,
    problem: ended.problem,
    updatedAt: store.now(),
  };
  store.transaction(() => {
    store.updateVm(now);
    store.addEvent(vm, "vm.exited", { clean: ended.clean });
  });
  return now;
}
