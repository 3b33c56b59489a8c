import { SilkError, toSilkError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { bootDisks } from "../vm/boot-disks.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { endVm } from "./end-vm.ts";
import { withoutExit } from "./guest-exit.ts";
import { writeSeed } from "./images.ts";
import { withVm } from "./locked.ts";
import { attachNics } from "./network-of.ts";
import { attachKept } from "./release-devices.ts";
import { makeRunDirectory } from "./run-directory.ts";
import type { StartOptions } from "./types.ts";

/** Starts a VM; one that runs is a success, and nothing is done. */
export function startVm(
  core: EngineCore,
  ref: string,
  options: StartOptions,
  signal: AbortSignal | undefined,
): Promise<VmRecord> {
  return withVm(core, ref, options, signal, async ({ store, vm }) => {
    if (vm.state === "running") return vm;
    if (vm.hibernatedIn !== undefined && options.cold !== true) throw hibernates(vm);
    await core.hooks.before("vm:before-start", { vm }, signal);
    const began = core.host.clock.monotonicMs();
    const context = core.context(options, signal);
    store.transaction(() => store.beginOperation(vm, "start"));
    let started: VmRecord;
    try {
      await makeRunDirectory(core, vm);
      await core.host.files.mkdir(core.logScopeDir, { mode: 0o700 });
      const backend = await core.backend(vm.backend);
      // After a reboot of the host nothing of them is there.
      const nics = await attachNics(core, vm, vm.nics, context);
      signal?.throwIfAborted();
      const booting = { ...vm, nics };
      if (bootDisks(booting).some(({ role }) => role === "cidata"))
        await writeSeed(core, booting, context, options);
      const runtime = await backend.start(booting, context);
      const { problem: _problem, hibernatedIn: _hibernatedIn, ...rest } = withoutExit(booting);
      const running: VmRecord = { ...rest, state: "running", firstBooted: true, runtime };
      started = {
        ...(await attachKept(core, running, context, { boots: true })),
        updatedAt: store.now(),
      };
      const tookMs = Math.round(core.host.clock.monotonicMs() - began);
      store.transaction(() => {
        store.updateVm(started);
        store.endOperation(vm.seq);
        store.addEvent(vm, "vm.started", { pid: runtime.vmm.pid, tookMs });
      });
    } catch (error) {
      await undoStart(core, store, vm, error).catch((left: unknown) => {
        context.warn(
          `what was started of the VM could not be ended yet, the next command will: ${(left as Error).message}`,
        );
      });
      throw error;
    }
    await core.hooks.after("vm:after-start", { vm: started }, context.warn);
    return started;
  });
}

async function undoStart(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  error: unknown,
): Promise<void> {
  const ended = await endVm(core, vm);
  const failure = toSilkError(error);
  // Only what is wrong with this VM is remembered with it: not an abort, and not a host that lacks a program.
  const blamed =
    failure.kind === "failed" || failure.kind === "conflict" || failure.kind === "not-found";
  const problem = { code: failure.code, message: failure.message, at: store.now() };
  store.transaction(() => {
    if (blamed) {
      store.updateVm({ ...ended, state: "error", problem, updatedAt: problem.at });
      store.addEvent(vm, "vm.failed", { verb: "start", problem });
    }
    store.endOperation(vm.seq);
  });
}

function hibernates(vm: VmRecord): SilkError {
  return new SilkError(`the VM ${vm.name} hibernates`, {
    code: "VM_HIBERNATES",
    kind: "conflict",
    hint: `Let it go on where it was (silk vm wake ${vm.name}), or boot it from its disks and give up its memory (silk vm start --cold ${vm.name}).`,
    details: { id: vm.id, name: vm.name, snapshotId: vm.hibernatedIn },
  });
}
