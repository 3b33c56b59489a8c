import { writeManifest } from "../snapshot/manifest-file.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import { type SnapshotRecord, toSnapshotView } from "../store/snapshot-record.ts";
import { checkName } from "../vm/names.ts";
import { findBlobs, imageMissing } from "./find-blobs.ts";
import { fingerprint } from "./fingerprint.ts";
import type { EngineCore } from "./core.ts";
import { lockSubject } from "./locked.ts";
import { recoverAll } from "./recover.ts";
import { undoArrival } from "./settle-save.ts";
import { refuseSnapshotClash, sizeOf } from "./snapshot-names.ts";
import type { AdoptRequest, ChangeOptions, SnapshotView } from "./types.ts";

/** Takes a snapshot in from elsewhere. What is wrong with it is found out before anybody sees it; anything that fails leaves nothing behind. */
export async function adoptSnapshot(
  core: EngineCore,
  request: AdoptRequest,
  options: ChangeOptions,
  signal: AbortSignal | undefined,
): Promise<SnapshotView> {
  const began = core.host.clock.monotonicMs();
  const store = await core.store();
  await recoverAll(core, store);
  const wantedName =
    request.name === undefined ? undefined : checkName(request.name, "name of a snapshot");
  if (wantedName !== undefined) refuseSnapshotClash(store, wantedName);
  const seq = store.nextSeq();
  await using _lock = await lockSubject(core, store, { seq, what: "snapshot" }, options, signal);
  const arrival = { seq, id: `import-${seq}` };
  const partial = core.partialSnapshotDir(arrival.id);
  store.transaction(() => store.beginOperation(arrival, "import"));
  const { files } = core.host;
  try {
    await files.mkdir(partial, { mode: 0o700 });
    const filled = await request.fill(partial, signal);
    const manifest: SnapshotManifest = {
      ...filled,
      // One that is taken in twice is two snapshots.
      id: store.findSnapshotClash(filled.id) === undefined ? filled.id : core.newId(),
      name: wantedName ?? filled.name,
      description: request.description ?? filled.description,
    };
    refuseSnapshotClash(store, manifest.name);
    const backend = await core.backend(manifest.backend);
    const source = { directory: partial, manifest, checkContent: false, checkExternals: false };
    await backend.checkSnapshot(source, core.context(options, signal));
    await writeManifest(core.host, partial, manifest);
    signal?.throwIfAborted();
    const record = toRecord(seq, manifest);
    // Its id and its name are taken before its directory has the id for a name: whoever clears up after us knows whose it is.
    store.transaction(() => {
      refuseSnapshotClash(store, manifest.id);
      refuseSnapshotClash(store, manifest.name);
      store.insertSnapshot({ ...record, ready: false });
    });
    const directory = core.snapshotDir(manifest.id);
    await files.rename(partial, directory);
    await files.sync(core.snapshotsDir);
    // Its external files have not been looked at yet: where it has some, the first use checks everything once more.
    const checked =
      manifest.externals.length === 0 ? await fingerprint(core, directory, manifest) : undefined;
    const tookMs = Math.round(core.host.clock.monotonicMs() - began);
    store.transaction(
      () => {
        store.updateSnapshot(record);
        store.setCheckedSnapshot(directory, checked);
        store.endOperation(seq);
        store.addEvent({ id: record.vmId, name: record.vmName }, "snapshot.imported", {
          snapshotId: record.id,
          snapshotName: record.name,
          tookMs,
        });
      },
      { durable: true },
    );
    await tellOfImage(core, manifest, options);
    return toSnapshotView(record);
  } catch (error) {
    await undoArrival(core, store, arrival).catch((left: unknown) => {
      core.warn(
        options,
        `what was taken in could not be removed yet, the next command will: ${(left as Error).message}`,
      );
    });
    throw error;
  }
}

/** Whoever is to use it can get its image in the meantime. */
async function tellOfImage(
  core: EngineCore,
  manifest: SnapshotManifest,
  options: ChangeOptions,
): Promise<void> {
  try {
    const { missing } = await findBlobs(core, manifest);
    if (missing.length === 0) return;
    const { message, hint } = imageMissing(manifest, missing);
    core.warn(options, `${message}. ${hint}`);
  } catch (error) {
    core.logger.debug(
      `the image of ${manifest.name} was not looked for: ${(error as Error).message}`,
    );
  }
}

function toRecord(seq: number, manifest: SnapshotManifest): SnapshotRecord {
  const { vm } = manifest;
  return {
    seq,
    id: manifest.id,
    name: manifest.name,
    description: manifest.description,
    createdAt: manifest.createdAt,
    vmId: vm.id,
    vmName: vm.name,
    backend: manifest.backend,
    cpus: vm.config.cpus,
    memoryBytes: vm.config.memoryBytes,
    nics: vm.nics.length,
    sizeBytes: sizeOf(manifest),
    parentId: manifest.parentId ?? null,
    imported: true,
    ready: true,
    temporary: false,
    imageBlobIds: vm.imageBlobIds,
    imageDigest: vm.config.imageDigest,
  };
}
