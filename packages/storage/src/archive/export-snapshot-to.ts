import { basename, dirname, join, resolve } from "node:path";
import {
  type CallOptions,
  type Engine,
  type Host,
  manifestName,
  SilkError,
  toSilkError,
  writeManifest,
} from "@silkvm/core";
import type { ArchiveProgress } from "../tar/unpack-files.ts";

/**
 * Copies a snapshot into a directory of its own, which other hosts can clone from: by shared blocks where the file system can, else with
 * its holes kept. The directory appears when all of it is on the disk; anything that fails leaves nothing behind.
 * @param directory must not be there yet, or be empty; its parent must be there
 * @throws SilkError `DIRECTORY_NOT_EMPTY`, `SNAPSHOT_NOT_FOUND`, `REF_AMBIGUOUS`, `DISK_FULL`
 */
export async function exportSnapshotTo(
  engine: Pick<Engine, "host" | "snapshots">,
  ref: string,
  directory: string,
  options: CallOptions & {
    readonly onProgress?: ((progress: ArchiveProgress) => void) | undefined;
  } = {},
): Promise<void> {
  const { host } = engine;
  const { signal, onProgress } = options;
  const target = resolve(directory);
  await refuseOccupied(host, target);
  await using lease = await engine.snapshots.open(ref, { signal });
  const { files } = lease.manifest;
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const random = Buffer.from(host.random.bytes(6)).toString("hex");
  const partial = join(dirname(target), `.${basename(target)}.${random}.partial`);
  try {
    await host.files.mkdir(partial, { mode: 0o700 });
    let doneBytes = 0;
    for (const { name, sizeBytes } of files) {
      onProgress?.({ doneBytes, totalBytes, file: name });
      await host.files.copy(join(lease.directory, name), join(partial, name), { signal });
      await host.files.sync(join(partial, name));
      doneBytes += sizeBytes;
    }
    onProgress?.({ doneBytes, totalBytes, file: manifestName });
    await host.files.sync(partial);
    await writeManifest(host, partial, lease.manifest);
    signal?.throwIfAborted();
    await host.files.rename(partial, target);
    await host.files.sync(dirname(target));
  } catch (error) {
    // The first failure is the one to tell.
    await host.files.remove(partial).catch(() => undefined);
    const { code } = error as { code?: unknown };
    if (code === "ENOTEMPTY" || code === "EEXIST") throw occupied(target, error);
    throw toSilkError(error, `cannot export the snapshot to ${target}`);
  }
}

async function refuseOccupied(host: Host, target: string): Promise<void> {
  const stat = await host.files.stat(target);
  if (stat === undefined) return;
  if (stat.kind !== "directory" || (await host.files.list(target)).length > 0)
    throw occupied(target);
}

function occupied(target: string, cause?: unknown): SilkError {
  return new SilkError(`${target} is there already, and is no empty directory`, {
    code: "DIRECTORY_NOT_EMPTY",
    kind: "conflict",
    hint: "Name a directory that is not there yet.",
    details: { directory: target },
    cause,
  });
}
