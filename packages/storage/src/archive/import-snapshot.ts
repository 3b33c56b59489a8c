import type { Readable } from "node:stream";
import {
  type CallOptions,
  type Engine,
  type Host,
  manifestName,
  type SnapshotManifest,
  type SnapshotView,
  writeManifest,
} from "@silkvm/core";
import { archiveInvalid, shown } from "../tar/archive-invalid.ts";
import {
  type ArchiveProgress,
  type UnpackedFile,
  unpackFiles,
  type UnpackRule,
} from "../tar/unpack-files.ts";
import { counterpartName, CounterpartArchive } from "./counterpart-archive.ts";
import { pinExternals } from "./pin-externals.ts";
import { SilkArchive } from "./silk-archive.ts";

/** Options of {@link importSnapshot}. */
export interface ImportOptions extends CallOptions {
  /** Default: the name that the snapshot had. */
  readonly name?: string | undefined;
  /** Default: the description that it had. */
  readonly description?: string | undefined;
  /** Files of this host that the snapshot may use for good, or directories of such: absolute paths. What they hold now is remembered with it. */
  readonly allowPaths?: readonly string[] | undefined;
  readonly onProgress?: ((progress: ArchiveProgress) => void) | undefined;
}

/** An archive that has told of which kind it is: by its first file or, where its files are in another order, by its manifest. */
export interface ArchiveKind {
  /** Of all files, where the archive tells. */
  readonly totalBytes: number | undefined;
  rule(name: string): UnpackRule | undefined;
  /** A file that has been unpacked. Throws where it is not what it should be. */
  take(file: {
    readonly name: string;
    readonly sizeBytes: number;
    readonly chunksSha256: string;
    readonly modifiedMs: number;
    readonly content?: Buffer | undefined;
  }): void;
  /** All have come: what they are a snapshot of. */
  manifest(directory: string): Promise<SnapshotManifest>;
}

const largestFirstFile = 4 * 1024 ** 2;

/**
 * Takes in a snapshot from an archive: one of {@link exportSnapshot}, or of `cocoon snapshot export`. Compression is recognised. Each file is checked as soon as it is
 * written, and nothing is seen of the snapshot before all of it is checked and on the disk; anything that fails leaves nothing behind.
 * What the snapshot says of files of this host is not believed: they have to be allowed, here or by those who clone from it.
 * @throws SilkError `ARCHIVE_INVALID`, `SNAPSHOT_DAMAGED`, `SNAPSHOT_UNSUPPORTED`, `INVALID_MANIFEST`, `SNAPSHOT_EXISTS`, `DISK_FULL`
 */
export async function importSnapshot(
  engine: Pick<Engine, "host" | "snapshots">,
  input: Readable | AsyncIterable<Uint8Array>,
  options: ImportOptions = {},
): Promise<SnapshotView> {
  const { name, description, signal } = options;
  return await engine.snapshots.adopt(
    {
      name,
      description,
      fill: (directory, fillSignal) =>
        unpackSnapshot(engine.host, input, directory, { ...options, signal: fillSignal ?? signal }),
    },
    { signal },
  );
}

/**
 * Unpacks an archive of a snapshot into an empty directory, which then is a snapshot's: synced, the manifest written last.
 * @throws SilkError as {@link importSnapshot}; what is in the directory is then left to the caller to remove
 */
export async function unpackSnapshot(
  host: Host,
  input: Readable | AsyncIterable<Uint8Array>,
  directory: string,
  options: Pick<ImportOptions, "signal" | "allowPaths" | "onProgress"> = {},
): Promise<SnapshotManifest> {
  const { signal, onProgress } = options;
  let kind: ArchiveKind | undefined;
  const early: UnpackedFile[] = [];
  await unpackFiles(host, input, directory, {
    signal,
    mode: 0o400,
    rule: (name) => (kind === undefined ? firstRule(name, early) : kind.rule(name)),
    onFile: (file) => {
      if (kind !== undefined) kind.take(file);
      else if (file.name === counterpartName) kind = new CounterpartArchive(host, file);
      else if (file.name !== manifestName) early.push(file);
      else {
        kind = new SilkArchive(directory, file.content);
        for (const known of early) kind.take(known);
      }
    },
    onProgress: (progress) => onProgress?.({ ...progress, totalBytes: kind?.totalBytes }),
  });
  if (kind === undefined)
    throw archiveInvalid(
      early.length === 0 ? "there is nothing in it" : `there is no ${manifestName} in it`,
    );
  const told = await kind.manifest(directory);
  const manifest = await pinExternals(host, told, options.allowPaths ?? [], { signal });
  await host.files.sync(directory);
  await writeManifest(host, directory, manifest);
  return manifest;
}

/** Files of a snapshot that may come before its manifest: whoever packs a directory with tar has them in any order. */
const earlyNames = /^(memory-ranges|(config|state)\.json|.+\.(raw|qcow2|img))$/;
const mostEarlyFiles = 64;
const largestEarlyFile = 64 * 1024 ** 4;

function firstRule(name: string, early: readonly UnpackedFile[]): UnpackRule {
  if (name === manifestName || (name === counterpartName && early.length === 0))
    return { action: "keep", maxBytes: largestFirstFile };
  if (earlyNames.test(name) && early.length < mostEarlyFiles)
    return { action: "write", maxBytes: largestEarlyFile };
  throw archiveInvalid(
    `it begins with ${shown(name)}, and one of a snapshot has ${manifestName}, or ${counterpartName} at its beginning`,
  );
}
