import { relative, resolve } from "node:path";
import type { SnapshotDetails } from "@silkvm/core";
import type { OpenEngine } from "../engine.ts";
import { formatSize } from "../output/format-size.ts";
import { renderTransferred, type TransferProgress } from "../output/transfer.ts";
import { archiveName, type ExportTarget } from "./export-target.ts";
import { checkArchivePath, writeArchive } from "./write-file.ts";
import { writeToDevice, writeToStdout } from "./write-stream.ts";

/** What became of an export. */
export interface Exported {
  readonly id: string;
  readonly name: string;
  /** The file or the directory; undefined for stdout. */
  readonly path?: string | undefined;
  /** Of the archive; undefined for a directory. */
  readonly sizeBytes?: number | undefined;
  readonly tookMs: number;
}

/** Writes a snapshot to where it is wanted, and says how far it is. Where it fails nothing half is left. */
export async function exportTo(
  open: OpenEngine,
  ref: string,
  target: ExportTarget,
  force: boolean,
): Promise<Exported> {
  const snapshot = await open.engine.snapshots.inspect(ref, open.call());
  const path = pathOf(target, snapshot.name);
  const to = path === undefined ? "" : ` to ${shown(path)}`;
  const tell = open.progress.transfer(`exporting ${snapshot.name}${to}`);
  const startedAt = performance.now();
  let sizeBytes: number | undefined;
  await open.deadline.follow(
    `cannot export ${snapshot.name}`,
    async (signal) => {
      sizeBytes = await write(open, snapshot, { target, path, force, signal, onProgress: tell });
    },
    [],
  );
  const tookMs = Math.round(performance.now() - startedAt);
  const size = sizeBytes === undefined ? "" : ` (${formatSize(sizeBytes)})`;
  const moved = renderTransferred(snapshot.allocatedBytes, tookMs);
  open.note(`Exported ${snapshot.name}${to}${size}: ${moved}.`);
  return { id: snapshot.id, name: snapshot.name, path, sizeBytes, tookMs };
}

/** A path for a person: from the current directory on, where it is in there. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}

function pathOf(target: ExportTarget, snapshotName: string): string | undefined {
  if (target.kind === "stdout") return undefined;
  if (target.path !== undefined || target.kind === "directory") return target.path;
  return resolve(archiveName(snapshotName, target.compression));
}

interface WriteRequest {
  readonly target: ExportTarget;
  readonly path: string | undefined;
  readonly force: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: TransferProgress) => void;
}

async function write(
  { engine, host }: OpenEngine,
  { id }: SnapshotDetails,
  { target, path, force, signal, onProgress }: WriteRequest,
): Promise<number | undefined> {
  if (target.kind === "directory") {
    const { exportSnapshotTo } = await import("@silkvm/storage");
    await exportSnapshotTo(engine, id, target.path, { signal, onProgress });
    return undefined;
  }
  const device = path === undefined ? undefined : await checkArchivePath(host.files, path, force);
  const { exportSnapshot } = await import("@silkvm/storage");
  const { compression } = target;
  const options = { compression, signal, onProgress };
  const content = await exportSnapshot(engine, id, options);
  try {
    if (path === undefined) return await writeToStdout(content, signal);
    if (device !== undefined) return await writeToDevice(path, device, content, signal);
    return await writeArchive(host.files, path, content, { force, signal });
  } finally {
    content.destroy();
  }
}
