import type { SnapshotView } from "../engine/types.ts";
import type { SqlValue } from "../host.ts";

/** What the store remembers of a snapshot. What it is made of stands in its directory. */
export interface SnapshotRecord extends SnapshotView {
  /** Its number: names its lock, and is that of no VM and no other snapshot. */
  readonly seq: number;
  /** False while it is being made or removed: nobody sees it then. */
  readonly ready: boolean;
  /** Blobs of images that it needs, which stay as long as it does. */
  readonly imageBlobIds: readonly string[];
  /** What its VM was made of; left out where it is of no image. */
  readonly imageDigest?: string | undefined;
  /** Whether it was made for a VM that hibernates, and goes when that wakes. */
  readonly temporary: boolean;
}

export function toSnapshotValues(snapshot: SnapshotRecord): SqlValue[] {
  const { seq, id, name, ready, vmId, vmName } = snapshot;
  return [seq, id, name, ready ? 1 : 0, vmId, vmName, JSON.stringify(snapshot)];
}

export function toSnapshotRecord(row: Record<string, SqlValue>): SnapshotRecord {
  const record = JSON.parse(row["record"] as string) as SnapshotRecord;
  return { ...record, ready: row["ready"] === 1 };
}

/** What of it is told. */
export function toSnapshotView(snapshot: SnapshotRecord): SnapshotView {
  const {
    seq: _seq,
    ready: _ready,
    imageBlobIds: _blobs,
    imageDigest: _imageDigest,
    temporary: _temporary,
    ...view
  } = snapshot;
  return view;
}
