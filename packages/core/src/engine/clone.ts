import { SilkError } from "../errors.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import { checkDisks } from "../vm/disks.ts";
import { checkName } from "../vm/names.ts";
import type { VmRecord } from "../vm/record.ts";
import { checkRoomForVm } from "../vm/resolve-spec.ts";
import type { EngineCore } from "./core.ts";
import { refuseClash } from "./create.ts";
import { type Loaded, toLoaded } from "./loaded.ts";
import { lockVm } from "./locked.ts";
import { recoverAll } from "./recover.ts";
import { removeVm } from "./remove.ts";
import { makeRunDirectory } from "./run-directory.ts";
import { openSource } from "./snapshot-source.ts";
import type { CloneOptions, SnapshotRef } from "./types.ts";

/** Brings up a new VM from a snapshot. Anything that fails leaves nothing behind. */
export async function cloneVm(
  core: EngineCore,
  from: SnapshotRef,
  options: CloneOptions,
  signal: AbortSignal | undefined,
): Promise<Loaded> {
  const began = core.host.clock.monotonicMs();
  const id = options.id === undefined ? core.newId() : checkName(options.id, "id");
  const name =
    options.name === undefined ? `vm-${id.slice(0, 59)}` : checkName(options.name, "name");
  const store = await core.store();
  await recoverAll(core, store);
  await using opened = await openSource(core, store, from, options, signal);
  const { source } = opened;
  const { manifest } = source;
  const backend = await core.backend(manifest.backend);
  checkRoomForVm(manifest.vm.config, core.host);
  const nicCount = checkNicCount(options.nics ?? manifest.vm.nics.length);
  refuseClash(store, { id, name });
  await core.hooks.before("vm:before-clone", { snapshot: manifest, id, name }, signal);
  const context = core.context(options, signal);

  const seq = store.nextSeq();
  await using _lock = await lockVm(core, store, seq, options, signal);
  const planned = planClone(core, manifest, { seq, id, name, labels: options.labels ?? {} });
  const disks = backend.cloneDisks(planned, manifest);
  checkDisks(disks);
  const plumbing = nicCount === 0 ? undefined : await core.plumbing(manifest.vm.nics[0]?.provider);
  const nics = (await plumbing?.plan(planned, nicCount, [], context)) ?? [];
  let reserved: VmRecord = { ...planned, disks, nics };
  store.transaction(() => {
    refuseClash(store, { id, name });
    store.insertVm(reserved);
    store.beginOperation(reserved, "clone");
  });
  try {
    await core.host.files.mkdir(core.paths(reserved).dataDir, { mode: 0o700 });
    await makeRunDirectory(core, reserved);
    await core.host.files.mkdir(core.logScopeDir, { mode: 0o700 });
    if (plumbing !== undefined)
      reserved = { ...reserved, nics: await plumbing.attach(reserved, nics, context) };
    const request = {
      source,
      mode: options.restoreMode ?? "auto",
      strict: options.strict ?? false,
    };
    const { runtime, timings } = await backend.clone(reserved, request, context);
    opened.markChecked();
    const cloned: VmRecord = { ...reserved, state: "running", runtime, updatedAt: store.now() };
    const loaded = toLoaded(cloned, manifest, timings);
    const tookMs = Math.round(core.host.clock.monotonicMs() - began);
    store.transaction(() => {
      store.updateVm(cloned);
      store.endOperation(seq);
      store.addEvent(cloned, "vm.cloned", {
        snapshotId: manifest.id,
        snapshotName: manifest.name,
        tookMs,
        mode: loaded.memory.used,
      });
    });
    await core.hooks.after("vm:after-clone", { vm: cloned, snapshot: manifest }, context.warn);
    return loaded;
  } catch (error) {
    await removeVm(core, store, reserved, "clone").catch((left: unknown) => {
      context.warn(
        `what was made of the clone could not be removed yet, the next command will: ${(left as Error).message}`,
      );
    });
    throw error;
  }
}

/** The record of the clone, without its disks and NICs: what the snapshot's VM was, with an identity of its own. */
function planClone(
  core: EngineCore,
  manifest: SnapshotManifest,
  identity: Pick<VmRecord, "seq" | "id" | "name" | "labels">,
): VmRecord {
  const now = core.now();
  const { config, boot, labels, imageBlobIds, firstBooted } = manifest.vm;
  return {
    ...identity,
    backend: manifest.backend,
    state: "creating",
    config,
    boot,
    disks: [],
    nics: [],
    labels: { ...labels, ...identity.labels },
    imageBlobIds,
    snapshotIds: [manifest.id],
    parentSnapshotId: manifest.id,
    firstBooted,
    createdAt: now,
    updatedAt: now,
  };
}

/** A NIC takes a slot on the guest's bus, of which there are 32. */
const mostNics = 16;

function checkNicCount(count: number): number {
  if (Number.isInteger(count) && count >= 0 && count <= mostNics) return count;
  throw new SilkError(`${count} is no number of NICs`, {
    code: "INVALID_SPEC",
    kind: "invalid",
    hint: `Give 0 to ${mostNics}.`,
  });
}
