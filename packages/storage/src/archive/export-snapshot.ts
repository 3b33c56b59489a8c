import { finished, pipeline, type Readable } from "node:stream";
import type * as Zlib from "node:zlib";
import {
  type CallOptions,
  type Engine,
  manifestName,
  type SnapshotLease,
  type SnapshotManifest,
} from "@silkvm/core";
import { packFiles } from "../tar/pack-files.ts";
import type { ArchiveProgress } from "../tar/unpack-files.ts";

/** Options of {@link exportSnapshot}. */
export interface ExportOptions extends CallOptions {
  /** Default: none. */
  readonly compression?: "gzip" | "zstd" | undefined;
  readonly onProgress?: ((progress: ArchiveProgress) => void) | undefined;
}

const chunkSize = 256 * 1024;

/**
 * A snapshot as a stream: a tar archive that {@link importSnapshot} takes in and that GNU tar unpacks. The manifest comes first, so that whoever reads it knows
 * early what to expect. The snapshot is held until the stream has ended, failed or been destroyed: read it or destroy it.
 * What fails later, an abort too, ends the stream with an error.
 * @throws SilkError `SNAPSHOT_NOT_FOUND`, `REF_AMBIGUOUS`
 */
export async function exportSnapshot(
  engine: Pick<Engine, "host" | "snapshots">,
  ref: string,
  options: ExportOptions = {},
): Promise<Readable> {
  const { signal, onProgress } = options;
  const lease = await engine.snapshots.open(ref, { signal });
  const { manifest } = lease;
  const totalBytes = manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const names = [manifestName, ...exportOrder(manifest)];
  const archive = packFiles(engine.host, lease.directory, names, {
    signal,
    onProgress: (progress) => onProgress?.({ ...progress, totalBytes }),
  });
  letGo(archive, lease);
  const encoder = encoderFor(options.compression);
  // What fails in front of it ends the encoder with the same error; an encoder that is destroyed ends what is in front of it.
  return encoder === undefined ? archive : pipeline(archive, encoder, () => undefined);
}

function letGo(archive: Readable, lease: SnapshotLease): void {
  finished(archive, { writable: false }, () => {
    // Nothing is lost where it fails: a lease ends with its process at the latest.
    lease[Symbol.asyncDispose]().then(undefined, () => undefined);
  });
}

function encoderFor(
  compression: ExportOptions["compression"],
): Zlib.Gzip | Zlib.ZstdCompress | undefined {
  const { constants, createGzip, createZstdCompress } = process.getBuiltinModule("node:zlib");
  if (compression === "gzip") return createGzip({ chunkSize, level: constants.Z_BEST_SPEED });
  if (compression === "zstd")
    return createZstdCompress({
      chunkSize,
      params: {
        [constants.ZSTD_c_compressionLevel]: 1,
        [constants.ZSTD_c_checksumFlag]: 1,
      },
    });
  return undefined;
}

/** Small files first, then disks, then memory: what can be wrong with it is found out as early as can be. */
function exportOrder({ files, vm }: SnapshotManifest): readonly string[] {
  const disks = new Set(vm.disks.map(({ file }) => file));
  const rank = ({ name, sizeBytes }: SnapshotManifest["files"][number]): number =>
    sizeBytes <= 1024 ** 2 ? 0 : disks.has(name) ? 1 : 2;
  return files.toSorted((one, other) => rank(one) - rank(other)).map(({ name }) => name);
}
