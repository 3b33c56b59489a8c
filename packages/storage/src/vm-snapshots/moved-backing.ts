import type { Host, SnapshotSource } from "@silkvm/core";
import { readImageHeader } from "../image-header.ts";
import { isNamedQcow2 } from "../vm-disks/named-qcow2.ts";

/** Where the image below a disk of a snapshot is on this host; undefined where it is where the disk says, or where there is none. */
export async function movedBacking(
  host: Host,
  { moved }: SnapshotSource,
  path: string,
): Promise<string | undefined> {
  if (moved === undefined || !isNamedQcow2(path)) return undefined;
  const { backingFile } = await readImageHeader(host, path);
  return backingFile === undefined ? undefined : moved.get(backingFile);
}
