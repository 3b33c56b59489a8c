import type { Store } from "../store/store.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { clearAfterVmm } from "./end-vm.ts";
import { withExit } from "./guest-exit.ts";
import { withVm } from "./locked.ts";
import { releaseDevices } from "./release-devices.ts";
import type { StopOptions } from "./types.ts";

/** Stops a VM; one that does not run is a success. A VM in `error` becomes `stopped`: whatever is left of its VMM is ended. */
export function stopVm(
  core: EngineCore,
  ref: string,
  options: StopOptions,
  signal: AbortSignal | undefined,
): Promise<VmRecord> {
  return withVm(core, ref, options, signal, async ({ store, vm }) => {
    if (vm.state !== "running" && vm.state !== "error") return await releaseLeft(core, store, vm);
    const force = options.force ?? false;
    await core.hooks.before("vm:before-stop", { vm, force }, signal);
    const stopped = await stopHeld(core, store, vm, options, signal);
    await core.hooks.after("vm:after-stop", { vm: stopped }, core.context(options, signal).warn);
    return stopped;
  });
}

/** What the devices of a VM that does not run hold of the host, and could not be given back when it ended, is given back now. */
async function releaseLeft(core: EngineCore, store: Store, vm: VmRecord): Promise<VmRecord> {
  if (vm.attachments?.some(({ state }) => state === "detaching") !== true) return vm;
  const now = { ...(await releaseDevices(core, vm)), updatedAt: store.now() };
  store.transaction(() => store.updateVm(now));
  return now;
}

/** A clone, or what was taken to a snapshot, has run without a boot of its own. */
function hasRun({ firstBooted, parentSnapshotId }: VmRecord): boolean {
  return firstBooted || parentSnapshotId !== undefined;
}

/** The stop itself, with the VM's lock held. Where it fails or is aborted the VM is left at what is true: it runs, or it does not. */
async function stopHeld(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  options: StopOptions,
  signal: AbortSignal | undefined,
): Promise<VmRecord> {
  const force = options.force ?? false;
  const began = core.host.clock.monotonicMs();
  const backend = await core.backend(vm.backend);
  store.transaction(() => store.beginOperation(vm, "stop"));
  try {
    await backend.stop(
      vm,
      { force, graceMs: options.graceMs ?? core.config.stopGraceMs },
      core.context(options, signal),
    );
    const { problem: _problem, ...ended } = await withExit(core, await clearAfterVmm(core, vm));
    const stopped: VmRecord = {
      ...ended,
      state: hasRun(vm) ? "stopped" : "created",
      updatedAt: store.now(),
    };
    const tookMs = Math.round(core.host.clock.monotonicMs() - began);
    store.transaction(() => {
      store.updateVm(stopped);
      store.endOperation(vm.seq);
      if (vm.state === "running") store.addEvent(vm, "vm.stopped", { forced: force, tookMs });
    });
    return stopped;
  } catch (error) {
    store.transaction(() => store.endOperation(vm.seq));
    throw error;
  }
}
