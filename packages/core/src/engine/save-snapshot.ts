import { SilkError } from "../errors.ts";
import type { SavedSnapshot, SaveTimings, SnapshotRequest } from "../snapshot/backend.ts";
import { writeManifest } from "../snapshot/manifest-file.ts";
import type { SnapshotHost, SnapshotManifest } from "../snapshot/manifest.ts";
import { type SnapshotRecord, toSnapshotView } from "../store/snapshot-record.ts";
import type { Store } from "../store/store.ts";
import { checkName } from "../vm/names.ts";
import type { VmRecord } from "../vm/record.ts";
import { fingerprint } from "./fingerprint.ts";
import type { EngineCore } from "./core.ts";
import { withVm } from "./locked.ts";
import { refuseAttached } from "./refuse-attached.ts";
import { settleDetaching } from "./settle-device.ts";
import { finishSave, undoSave } from "./settle-save.ts";
import { freeSnapshotName, refuseSnapshotClash, sizeOf } from "./snapshot-names.ts";
import type { SavedSnapshotView, SaveOptions } from "./types.ts";

/** Saves a running VM, which runs on whatever comes of it. */
export function saveVm(
  core: EngineCore,
  ref: string,
  options: SaveOptions,
  signal: AbortSignal | undefined,
): Promise<SavedSnapshotView> {
  return withVm(core, ref, options, signal, async ({ store, vm }) => {
    const began = core.host.clock.monotonicMs();
    const { record, timings } = await save(core, store, vm, options, signal, {
      verb: "snapshot",
      afterwards: "resume",
      temporary: false,
    });
    const tookMs = Math.round(core.host.clock.monotonicMs() - began);
    store.transaction(() => {
      store.endOperation(vm.seq);
      store.addEvent(vm, "snapshot.saved", eventOf(record, tookMs));
    });
    return { ...toSnapshotView(record), timings };
  });
}

/** Saves a running VM and ends it: its VMM ends only when the snapshot is durable. */
export function hibernateVm(
  core: EngineCore,
  ref: string,
  options: SaveOptions,
  signal: AbortSignal | undefined,
): Promise<SavedSnapshotView> {
  return withVm(core, ref, options, signal, async ({ store, vm }) => {
    await core.hooks.before("vm:before-stop", { vm, force: false }, signal);
    const began = core.host.clock.monotonicMs();
    const { record, timings } = await save(core, store, vm, options, signal, {
      verb: "hibernate",
      afterwards: "stop",
      temporary: options.name === undefined,
    });
    const tookMs = Math.round(core.host.clock.monotonicMs() - began);
    const stopped = await finishSave(core, store, vm.seq, "hibernate", () =>
      store.addEvent(vm, "vm.hibernated", eventOf(record, tookMs)),
    );
    await core.hooks.after("vm:after-stop", { vm: stopped }, core.context(options, signal).warn);
    return { ...toSnapshotView(record), timings };
  });
}

function eventOf(record: SnapshotRecord, tookMs: number) {
  return { snapshotId: record.id, snapshotName: record.name, tookMs };
}

interface SaveKind extends Pick<SnapshotRequest, "afterwards"> {
  readonly verb: "snapshot" | "hibernate";
  readonly temporary: boolean;
}

/** The saving itself, with the VM's lock held. The operation stays open: its verb ends it. */
async function save(
  core: EngineCore,
  store: Store,
  found: VmRecord,
  options: SaveOptions,
  signal: AbortSignal | undefined,
  kind: SaveKind,
): Promise<{ readonly record: SnapshotRecord; readonly timings: SaveTimings }> {
  if (found.state !== "running") throw notRunning(found, kind.verb);
  const vm = await settleDetaching(core, store, found);
  await refuseAttached(core, vm);
  const name =
    options.name === undefined
      ? freeSnapshotName(store, vm.name)
      : checkName(options.name, "name of a snapshot");
  await core.hooks.before("snapshot:before-save", { vm, name }, signal);
  const backend = await core.backend(vm.backend);
  const context = core.context(options, signal);
  const reserved = reserve(core, store, vm, { name, description: options.description ?? "", kind });
  const { files } = core.host;
  const partial = core.partialSnapshotDir(reserved.id);
  let record: SnapshotRecord | undefined;
  let manifest: SnapshotManifest | undefined;
  try {
    await files.mkdir(partial, { mode: 0o700 });
    const timings = await backend.snapshot(
      vm,
      {
        directory: partial,
        afterwards: kind.afterwards,
        publish: async (saved) => {
          manifest = toManifest(core, vm, reserved, saved);
          record = {
            ...reserved,
            ready: true,
            createdAt: saved.pausedAt,
            sizeBytes: sizeOf(manifest),
          };
          await publish(core, store, vm, {
            record,
            manifest,
            hibernates: kind.afterwards === "stop",
          });
        },
      },
      context,
    );
    if (record === undefined || manifest === undefined)
      throw new Error(`the backend "${vm.backend}" did not publish the snapshot`);
    await core.hooks.after("snapshot:after-save", { vm, snapshot: manifest }, context.warn);
    return { record, timings };
  } catch (error) {
    // Once it is published it is the user's, whatever went wrong after it.
    const isPublished = store.findSnapshotBySeq(reserved.seq)?.ready === true;
    const clearUp = isPublished
      ? finishSave(core, store, vm.seq, kind.verb)
      : undoSave(core, store, vm, reserved);
    await clearUp.catch((left: unknown) => {
      context.warn(
        `what was left of the snapshot could not be cleared up yet, the next command will: ${(left as Error).message}`,
      );
    });
    throw error;
  }
}

/** Takes the name and says in the journal what is being made, before anything is. */
function reserve(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  wanted: { readonly name: string; readonly description: string; readonly kind: SaveKind },
): SnapshotRecord {
  const reserved: SnapshotRecord = {
    seq: store.nextSeq(),
    id: core.newId(),
    name: wanted.name,
    description: wanted.description,
    createdAt: store.now(),
    vmId: vm.id,
    vmName: vm.name,
    backend: vm.backend,
    cpus: vm.config.cpus,
    memoryBytes: vm.config.memoryBytes,
    nics: vm.nics.length,
    sizeBytes: 0,
    parentId: vm.parentSnapshotId ?? null,
    imported: false,
    ready: false,
    temporary: wanted.kind.temporary,
    imageBlobIds: vm.imageBlobIds,
    imageDigest: vm.config.imageDigest,
  };
  store.transaction(() => {
    refuseSnapshotClash(store, reserved.name);
    store.insertSnapshot(reserved);
    store.beginOperation(vm, wanted.kind.verb, { snapshotSeq: reserved.seq });
  });
  return reserved;
}

/** Makes a snapshot whose files are on the disk durable and known: the manifest last, then its name, then the store. */
async function publish(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  snapshot: {
    readonly record: SnapshotRecord;
    readonly manifest: SnapshotManifest;
    readonly hibernates: boolean;
  },
): Promise<void> {
  const { record, manifest, hibernates } = snapshot;
  const directory = core.snapshotDir(record.id);
  const partial = core.partialSnapshotDir(record.id);
  await writeManifest(core.host, partial, manifest);
  await core.host.files.rename(partial, directory);
  await core.host.files.sync(core.snapshotsDir);
  const checked = await fingerprint(core, directory, manifest);
  store.transaction(
    () => {
      store.updateSnapshot(record);
      store.setCheckedSnapshot(directory, checked);
      store.updateVm({
        ...vm,
        snapshotIds: [...vm.snapshotIds, record.id],
        ...(hibernates ? { hibernatedIn: record.id } : {}),
        updatedAt: store.now(),
      });
    },
    { durable: true },
  );
}

function toManifest(
  core: EngineCore,
  vm: VmRecord,
  reserved: SnapshotRecord,
  saved: SavedSnapshot,
): SnapshotManifest {
  const { id, name, config, boot, nics, labels, imageBlobIds, firstBooted } = vm;
  return {
    format: "silk-snapshot",
    version: 1,
    id: reserved.id,
    name: reserved.name,
    description: reserved.description,
    createdAt: saved.pausedAt,
    backend: vm.backend,
    host: hostOf(core, saved),
    vm: { id, name, config, boot, disks: saved.disks, nics, labels, imageBlobIds, firstBooted },
    ...(vm.parentSnapshotId === undefined ? {} : { parentId: vm.parentSnapshotId }),
    externals: saved.externals,
    files: saved.files,
  };
}

function hostOf(core: EngineCore, { vmmVersion }: SavedSnapshot): SnapshotHost {
  const { arch, cpu } = core.host.facts;
  return { arch, vmmVersion, cpu };
}

function notRunning(vm: VmRecord, verb: SaveKind["verb"]): SilkError {
  return new SilkError(
    `the VM ${vm.name} does not run: there is nothing ${verb === "snapshot" ? "to save of it" : "to hibernate"}`,
    {
      code: "VM_NOT_RUNNING",
      kind: "conflict",
      hint: `Start it first: silk vm start ${vm.name}`,
      details: { id: vm.id, name: vm.name, state: vm.state },
    },
  );
}
