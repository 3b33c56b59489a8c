import type { Plumbing } from "../plumbing.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import { checkDisks } from "../vm/disks.ts";
import { checkName } from "../vm/names.ts";
import { checkNicCount, checkOneNetwork } from "../vm/nics.ts";
import type { VmRecord } from "../vm/record.ts";
import { checkRoomForVm } from "../vm/resolve-spec.ts";
import type { EngineCore } from "./core.ts";
import { refuseClash } from "./create.ts";
import { takesSeed, withSeedDisk, writeSeed } from "./images.ts";
import { type Loaded, toLoaded } from "./loaded.ts";
import { lockVm } from "./locked.ts";
import { attachNics, networkOf, shortestWords } from "./network-of.ts";
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
  checkOneNetwork(options);
  const wanted = shortestWords(core.networks, options);
  const store = await core.store();
  await recoverAll(core, store);
  await using opened = await openSource(core, store, from, options, signal);
  const { source } = opened;
  const { manifest } = source;
  const backend = await core.backend(manifest.backend);
  checkRoomForVm(manifest.vm.config, core.host);
  const nicCount = checkNicCount(options.nics ?? manifest.vm.nics.length);
  refuseClash(store, { id, name });
  core.observer?.subject({ id, name, backend: manifest.backend });
  const labels = await core.hooks.beforeLabelled(
    "vm:before-clone",
    { ...manifest.vm.labels, ...options.labels },
    (known) => ({ snapshot: manifest, id, name, labels: known }),
    signal,
  );
  const context = core.context(options, signal);

  const seq = store.nextSeq();
  await using _lock = await lockVm(core, store, seq, options, signal);
  const planned = planClone(core, manifest, wanted, { seq, id, name, labels });
  const disks = withSeedDisk(core, planned, backend.cloneDisks(planned, manifest));
  checkDisks(disks);
  // A network that is named is looked for even where the clone has no NIC in it.
  const nics =
    nicCount === 0 && !isNetworkNamed(options)
      ? []
      : await (
          await cloneNetwork(core, planned, manifest, wanted)
        ).plan(planned, nicCount, [], context);
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
    reserved = { ...reserved, nics: await attachNics(core, reserved, nics, context) };
    await writeSeed(core, reserved, context);
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
  options: CloneOptions,
  identity: Pick<VmRecord, "seq" | "id" | "name" | "labels">,
): VmRecord {
  const now = core.now();
  const { config: saved, boot, imageBlobIds, firstBooted } = manifest.vm;
  const { bridge: _bridge, network: _network, ...others } = saved;
  const { bridge, network } = isNetworkNamed(options) ? options : saved;
  const config = {
    ...others,
    ...(bridge === undefined ? {} : { bridge }),
    ...(network === undefined ? {} : { network }),
  };
  return {
    ...identity,
    backend: manifest.backend,
    state: "creating",
    config,
    boot,
    disks: [],
    nics: [],
    imageBlobIds,
    snapshotIds: [manifest.id],
    parentSnapshotId: manifest.id,
    firstBooted: firstBooted && !takesSeed(core, config),
    createdAt: now,
    updatedAt: now,
  };
}

function isNetworkNamed({ bridge, network }: CloneOptions): boolean {
  return bridge !== undefined || network !== undefined;
}

/** The network that the clone's NICs are in: the one that is named, or else the snapshot's, if it is one of this host. */
function cloneNetwork(
  core: EngineCore,
  { config }: VmRecord,
  manifest: SnapshotManifest,
  options: CloneOptions,
): Promise<Plumbing> {
  const provider = manifest.vm.nics[0]?.provider;
  const isKnown = core.networks.some(({ name }) => name === provider);
  return isNetworkNamed(options) || provider === undefined || !isKnown
    ? networkOf(core, config)
    : core.plumbing(provider);
}
