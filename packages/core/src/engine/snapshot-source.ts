import { resolve, sep } from "node:path";
import { SilkError } from "../errors.ts";
import { resolveSnapshot, snapshotNotFound } from "../refs.ts";
import type { SnapshotSource } from "../snapshot/backend.ts";
import { readManifest } from "../snapshot/manifest-file.ts";
import type { SnapshotManifest } from "../snapshot/manifest.ts";
import type { SnapshotRecord } from "../store/snapshot-record.ts";
import type { Store } from "../store/store.ts";
import { findBlobs, imageMissing } from "./find-blobs.ts";
import { fingerprint } from "./fingerprint.ts";
import type { EngineCore } from "./core.ts";
import { lockSubject } from "./locked.ts";
import type { ChangeOptions, LoadOptions, SnapshotLease, SnapshotRef } from "./types.ts";

/** A snapshot that is held while it is used. */
export interface OpenSource extends AsyncDisposable {
  readonly source: SnapshotSource;
  /** Undefined for one in a directory of the user's. */
  readonly record: SnapshotRecord | undefined;
  /** To be called once every byte has been checked: the next time it need not be. */
  markChecked(): void;
}

/**
 * Opens what a VM is to be brought up from. Nobody can remove it while it is held.
 * @throws SilkError `INVALID_REF`, `SNAPSHOT_NOT_FOUND`, `SNAPSHOT_BUSY`, `SNAPSHOT_DAMAGED`, `SNAPSHOT_FOREIGN_FILE`; `IMAGE_MISSING` where its image is not here
 */
export async function openSource(
  core: EngineCore,
  store: Store,
  from: SnapshotRef,
  options: LoadOptions,
  signal: AbortSignal | undefined,
): Promise<OpenSource> {
  requireRef(from);
  await using held = new AsyncDisposableStack();
  const { directory, record } =
    "snapshot" in from
      ? held.use(await holdSnapshot(core, store, from.snapshot, options, signal))
      : { directory: resolve(core.cwd, from.directory), record: undefined };
  const told = await readManifest(core.host, directory);
  if (record !== undefined && told.id !== record.id) throw swapped(record, told);
  const known = store.checkedSnapshot(directory);
  const isForeign = record?.imported ?? true;
  let files = await fingerprint(core, directory, told);
  // Where all files of our own are where they were, nobody needs to be asked where they are.
  const found =
    isForeign || files === undefined
      ? await findBlobs(core, told)
      : { manifest: told, moved: new Map<string, string>(), missing: [] };
  const { manifest, moved, missing } = found;
  if (missing.length > 0) throw imageMissing(told, missing);
  if (moved.size > 0) files = await fingerprint(core, directory, manifest);
  const checkContent = known === undefined || files !== known;
  const source: SnapshotSource = {
    directory,
    manifest: isForeign ? allowExternals(core, manifest, options.allowPaths ?? []) : manifest,
    checkContent,
    checkExternals: true,
    ...(moved.size === 0 ? {} : { moved }),
  };
  const lease = held.move();
  return {
    source,
    record,
    markChecked: () => {
      if (checkContent) store.transaction(() => store.setCheckedSnapshot(directory, files));
    },
    [Symbol.asyncDispose]: () => lease.disposeAsync(),
  };
}

/** Plain JavaScript can pass anything, most often an id alone. */
function requireRef(from: unknown): void {
  const { snapshot, directory } = (from ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof (snapshot ?? directory) === "string") return;
  throw new SilkError("what to bring the VM up from is neither a snapshot nor a directory", {
    code: "INVALID_REF",
    kind: "invalid",
    hint: 'It is { snapshot: "ID or NAME" } or { directory: "/path" }.',
  });
}

/** Holds one of the engine's snapshots against removal, beside others who do. */
export async function holdSnapshot(
  core: EngineCore,
  store: Store,
  ref: string,
  options: ChangeOptions,
  signal: AbortSignal | undefined,
): Promise<AsyncDisposable & { readonly directory: string; readonly record: SnapshotRecord }> {
  const { seq } = resolveSnapshot(store, ref);
  const lock = await lockSubject(
    core,
    store,
    { seq, what: "snapshot", shared: true },
    options,
    signal,
  );
  // It may have been removed while we waited for it.
  const record = store.findSnapshotBySeq(seq);
  if (record?.ready !== true) {
    await lock.release();
    throw snapshotNotFound(ref);
  }
  return {
    directory: core.snapshotDir(record.id),
    record,
    [Symbol.asyncDispose]: () => lock.release(),
  };
}

/** Holds a snapshot for whoever reads its files. */
export async function leaseSnapshot(
  core: EngineCore,
  ref: string,
  options: ChangeOptions,
  signal: AbortSignal | undefined,
): Promise<SnapshotLease> {
  const store = await core.store();
  const held = await holdSnapshot(core, store, ref, options, signal);
  try {
    const { directory } = held;
    const manifest = await readManifest(core.host, directory);
    return { directory, manifest, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
  } catch (error) {
    await held[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * What a snapshot from elsewhere says of files on this host is not believed: it may use one whose very content it knows, which the backend checks, or
 * one that the user allows.
 */
function allowExternals(
  core: EngineCore,
  manifest: SnapshotManifest,
  allowPaths: readonly string[],
): SnapshotManifest {
  const allowed = allowPaths.map((path) => resolve(core.cwd, path));
  const isAllowed = (path: string): boolean =>
    allowed.some(
      (prefix) => path === prefix || path.startsWith(`${prefix}${prefix === sep ? "" : sep}`),
    );
  const externals = manifest.externals.map((external) => {
    const path = resolve(external.path);
    if (isAllowed(path)) return { path: external.path };
    if (external.chunksSha256 !== undefined) return external;
    throw new SilkError(
      `the snapshot "${manifest.name}" comes from elsewhere and wants to use ${external.path}`,
      {
        code: "SNAPSHOT_FOREIGN_FILE",
        kind: "denied",
        hint: `If the guest may see that file, allow it with --allow-path ${external.path}`,
        details: { path: external.path },
      },
    );
  });
  return { ...manifest, externals };
}

function swapped(record: SnapshotRecord, manifest: SnapshotManifest): SilkError {
  return new SilkError(
    `the snapshot ${record.name} is damaged: in its directory is the snapshot ${manifest.id}`,
    {
      code: "SNAPSHOT_DAMAGED",
      kind: "failed",
      details: { id: record.id, found: manifest.id },
    },
  );
}
