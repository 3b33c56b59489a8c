import { isSilkError, SilkError, toSilkError } from "../errors.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import type { OperationData } from "../store/journal.ts";
import type { SnapshotRecord } from "../store/snapshot-record.ts";
import type { Store } from "../store/store.ts";
import type { VmRecord } from "../vm/record.ts";
import { checkRoomForVm } from "../vm/resolve-spec.ts";
import type { EngineCore } from "./core.ts";
import { deleteSnapshotHeld } from "./delete-snapshot.ts";
import { withoutExit } from "./guest-exit.ts";
import { takesSeed } from "./images.ts";
import { type Loaded, toLoaded } from "./loaded.ts";
import { withVm } from "./locked.ts";
import { makeRunDirectory } from "./run-directory.ts";
import { attachNics, releaseNics } from "./network-of.ts";
import { attachKept, releaseDevices } from "./release-devices.ts";
import { abandonRestore } from "./settle-restore.ts";
import { openSource } from "./snapshot-source.ts";
import type { LoadOptions, RestoreOptions, SnapshotRef } from "./types.ts";

/** Takes a VM back to a snapshot. What is wrong with that is found out before the VM is touched. */
export function restoreVm(
  core: EngineCore,
  ref: string,
  from: SnapshotRef,
  options: RestoreOptions,
  signal: AbortSignal | undefined,
): Promise<Loaded> {
  return withVm(core, ref, options, signal, ({ store, vm }) =>
    restore(
      core,
      store,
      vm,
      { from, verb: "restore", force: options.force ?? false },
      options,
      signal,
    ),
  );
}

/** Lets a VM that hibernates go on where it was. */
export function wakeVm(
  core: EngineCore,
  ref: string,
  options: LoadOptions,
  signal: AbortSignal | undefined,
): Promise<Loaded> {
  return withVm(core, ref, options, signal, async ({ store, vm }) => {
    const snapshotId = vm.hibernatedIn;
    if (snapshotId === undefined)
      throw new SilkError(`the VM ${vm.name} does not hibernate`, {
        code: "VM_NOT_HIBERNATED",
        kind: "conflict",
        hint:
          vm.state === "running"
            ? "It runs."
            : `Start it from its disks (silk vm start ${vm.name}), or take it back to a snapshot (silk vm restore ${vm.name} SNAPSHOT).`,
        details: { id: vm.id, name: vm.name, state: vm.state },
      });
    const from = { snapshot: snapshotId };
    const snapshot = store.findSnapshot("id", snapshotId);
    const disposable = snapshot?.temporary === true ? snapshot : undefined;
    const woken = await restore(
      core,
      store,
      vm,
      { from, verb: "wake", force: true, disposable },
      options,
      signal,
    );
    if (disposable !== undefined)
      await deleteSnapshotHeld(core, store, disposable, options, undefined).catch(
        (error: unknown) => {
          // Somebody else may have found it to be of no use any more.
          if (isSilkError(error) && error.code === "SNAPSHOT_NOT_FOUND") return;
          core.warn(
            options,
            `the VM runs, but its snapshot could not be removed yet, the next command will: ${(error as Error).message}`,
          );
        },
      );
    return woken;
  });
}

async function restore(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  wanted: {
    readonly from: SnapshotRef;
    readonly verb: "restore" | "wake";
    readonly force: boolean;
    /** The snapshot, where it is of no use to anybody once the VM runs. */
    readonly disposable?: SnapshotRecord | undefined;
  },
  options: LoadOptions,
  signal: AbortSignal | undefined,
): Promise<Loaded> {
  const began = core.host.clock.monotonicMs();
  await using opened = await openSource(core, store, wanted.from, options, signal);
  const { source } = opened;
  const { manifest } = source;
  checkFits(vm, manifest, wanted.force);
  checkRoomForVm(manifest.vm.config, core.host);
  await core.hooks.before("vm:before-restore", { vm, snapshot: manifest }, signal);
  const backend = await core.backend(vm.backend);
  const context = core.context(options, signal);
  tellOtherNics(vm, manifest, context);
  let target = toTarget(core, vm, manifest);
  let data: OperationData = {};
  store.transaction(() => store.beginOperation(vm, wanted.verb, data));
  try {
    await makeRunDirectory(core, vm);
    await core.host.files.mkdir(core.logScopeDir, { mode: 0o700 });
    // Those of a VM that runs are in use; after a reboot of the host nothing of them is there.
    if (vm.state !== "running")
      target = { ...target, nics: await attachNics(core, target, target.nics, context) };
    const { runtime, timings } = await backend.restore(
      target,
      {
        source,
        mode: options.restoreMode ?? "auto",
        strict: options.strict ?? false,
        beforeTouching: async () => {
          signal?.throwIfAborted();
          data = { touched: true };
          // From here on it is on its way to the snapshot: what it was is over.
          const { runtime: _runtime, problem: _problem, ...rest } = target;
          store.transaction(
            () => {
              store.noteOperation(vm.seq, data);
              store.updateVm({ ...rest, state: "stopped", updatedAt: store.now() });
            },
            { durable: true },
          );
        },
      },
      context,
    );
    opened.markChecked();
    const { disposable } = wanted;
    // Its old VMM is gone, and with it what was added while it ran.
    const released = await releaseNics(core, await releaseDevices(core, target));
    const running = toRestored(released, manifest, runtime, store.now());
    const arrived = await attachKept(core, running, context);
    const restored = disposable === undefined ? arrived : forget(arrived, disposable);
    const loaded = toLoaded(restored, manifest, timings);
    const tookMs = Math.round(core.host.clock.monotonicMs() - began);
    store.transaction(() => {
      store.updateVm(restored);
      store.endOperation(vm.seq);
      if (disposable !== undefined) {
        // Whoever comes next removes it, should this process not get to it.
        store.updateSnapshot({ ...disposable, ready: false });
        store.beginOperation(disposable, "delete-snapshot");
      }
      store.addEvent(restored, wanted.verb === "wake" ? "vm.woken" : "vm.restored", {
        snapshotId: manifest.id,
        snapshotName: manifest.name,
        tookMs,
        mode: loaded.memory.used,
      });
    });
    await core.hooks.after("vm:after-restore", { vm: restored, snapshot: manifest }, context.warn);
    return loaded;
  } catch (error) {
    await undoRestore(core, store, vm, data, error).catch((left: unknown) => {
      context.warn(
        `what was left of the restore could not be cleared up yet, the next command will: ${(left as Error).message}`,
      );
    });
    throw error;
  }
}

async function undoRestore(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  data: OperationData,
  error: unknown,
): Promise<void> {
  // It had come to its end, and only that could not be told: the VM runs on.
  if (store.findOperation(vm.seq) === undefined) return;
  const { code, message } = toSilkError(error);
  const problem = { code, message: `its restore failed: ${message}` };
  // Read anew: it has been touched, and is another one now.
  const now = store.findBySeq(vm.seq) ?? vm;
  await abandonRestore(core, store, now, data, problem);
  store.transaction(() => {
    store.endOperation(vm.seq);
    if (data.touched === true)
      store.addEvent(vm, "vm.failed", {
        verb: "restore",
        problem: { ...problem, at: store.now() },
      });
  });
}

/** The VM as if it had not hibernated: it comes from where it came from before. */
function forget(vm: VmRecord, snapshot: SnapshotRecord): VmRecord {
  const { parentSnapshotId: _parentSnapshotId, ...rest } = vm;
  return {
    ...rest,
    snapshotIds: vm.snapshotIds.filter((id) => id !== snapshot.id),
    ...(snapshot.parentId === null ? {} : { parentSnapshotId: snapshot.parentId }),
  };
}

/** @throws SilkError `SNAPSHOT_FOREIGN`, `SNAPSHOT_MISMATCH` */
function checkFits(vm: VmRecord, manifest: SnapshotManifest, force: boolean): void {
  if (!force && manifest.vm.id !== vm.id && !vm.snapshotIds.includes(manifest.id))
    throw new SilkError(
      `the snapshot ${manifest.name} is of another VM: ${manifest.vm.name} (${manifest.vm.id})`,
      {
        code: "SNAPSHOT_FOREIGN",
        kind: "conflict",
        hint: `Make a new VM of it (silk vm clone ${manifest.name}), or give --force to overwrite ${vm.name} with it.`,
        details: { snapshotId: manifest.id, snapshotVmId: manifest.vm.id, vmId: vm.id },
      },
    );
  const mismatch = (
    why: string,
    hint = `Make a new VM of it: silk vm clone ${manifest.name}`,
  ): SilkError =>
    new SilkError(`the snapshot ${manifest.name} does not fit the VM ${vm.name}: ${why}`, {
      code: "SNAPSHOT_MISMATCH",
      kind: "conflict",
      hint,
      details: { snapshotId: manifest.id, vmId: vm.id },
    });
  if (manifest.backend !== vm.backend)
    throw mismatch(`it is of the backend "${manifest.backend}", and the VM of "${vm.backend}"`);
  if (manifest.vm.nics.length !== vm.nics.length)
    throw mismatch(
      `it has ${manifest.vm.nics.length} NICs, and the VM has ${vm.nics.length}`,
      `Give the VM as many (silk vm net set ${vm.name} --nics ${manifest.vm.nics.length}), or make a new VM of it: silk vm clone ${manifest.name}`,
    );
  const [before, after] = [vm.config.cpus, manifest.vm.config.cpus];
  if (vm.state === "running" && vm.nics.length > 0 && before !== after)
    throw mismatch(
      `it has ${after} CPUs, and the NICs of the VM, which runs, are made for ${before}`,
      `Stop it first: silk vm stop ${vm.name}`,
    );
}

/**
 * The VM as it is to be: CPUs, memory, storage and boot are the snapshot's; identity, disks' places and NICs stay its own. But for their
 * MACs: the guest has the NICs that it had, which may be others than those of today. One that was somebody else is told by cidata who it is, at its next boot.
 */
function toTarget(core: EngineCore, vm: VmRecord, manifest: SnapshotManifest): VmRecord {
  const { config, boot, imageBlobIds, firstBooted, nics } = manifest.vm;
  const isTold = manifest.vm.id === vm.id || !takesSeed(core, config) || !hasSeed(vm);
  return {
    ...withoutExit(vm),
    config: { ...config, network: vm.config.network, bridge: vm.config.bridge },
    nics: vm.nics.map((nic, index) => ({
      ...nic,
      mac: nics[index]?.mac ?? nic.mac,
      queues: 2 * config.cpus,
    })),
    boot,
    imageBlobIds,
    firstBooted: firstBooted && isTold,
  };
}

function hasSeed({ disks }: VmRecord): boolean {
  return disks.some(({ role }) => role === "cidata");
}

/** NICs that were removed and added since have other MACs and addresses than those that the guest goes on with. */
function tellOtherNics(vm: VmRecord, { vm: saved }: SnapshotManifest, { warn }: OperationContext) {
  if (saved.id !== vm.id) return;
  for (const [index, nic] of vm.nics.entries()) {
    const before = saved.nics[index];
    if (before === undefined || before.mac === nic.mac) continue;
    const now =
      nic.address === undefined ? "" : `; the address of the NIC is ${nic.address.ip} now`;
    warn(
      `the NIC ${nic.tap} was made after the snapshot: the guest goes on with the MAC ${before.mac} and the address that it had${now}`,
    );
  }
}

function toRestored(
  target: VmRecord,
  manifest: SnapshotManifest,
  runtime: VmRecord["runtime"],
  now: string,
): VmRecord {
  const { problem: _problem, hibernatedIn: _hibernatedIn, ...rest } = target;
  return {
    ...rest,
    state: "running",
    runtime,
    parentSnapshotId: manifest.id,
    snapshotIds: [...new Set([...target.snapshotIds, manifest.id])],
    updatedAt: now,
  };
}
