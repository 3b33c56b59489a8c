import { join } from "node:path";
import type { Host, SnapshotManifest, SnapshotSource } from "@silkvm/core";
import { readImageHeader } from "../image-header.ts";
import { isNamedQcow2 } from "../vm-disks/named-qcow2.ts";
import { imagesBelow } from "./images-below.ts";
import { damagedSnapshot, snapshotUnsupported } from "./snapshot-errors.ts";

/** An overlay names the image below it by itself: it may only be one that the manifest tells of. @throws SilkError `SNAPSHOT_DAMAGED`, `SNAPSHOT_UNSUPPORTED` */
export async function checkOverlays(
  host: Host,
  { directory, manifest, checkExternals, moved }: SnapshotSource,
): Promise<void> {
  const externals = new Set(manifest.externals.map(({ path }) => path));
  for (const { file, path } of manifest.vm.disks) {
    if (!isNamedQcow2(file ?? path) || (file === undefined && !checkExternals)) continue;
    const what = file ?? path;
    const top = file === undefined ? path : join(directory, file);
    if ((await readImageHeader(host, top)).format !== "qcow2")
      throw damagedSnapshot(what, "is no qcow2 image");
    for await (const below of imagesBelow(host, top)) {
      const isTold = externals.has(moved?.get(below.path) ?? below.path);
      if (file !== undefined && below.isRelative && !isTold)
        throw snapshotUnsupported(`${what} names the image below it by a relative path`);
      if (!isTold)
        throw damagedSnapshot(what, `needs ${below.path}, and the manifest does not say so`);
      if (!checkExternals) break;
    }
  }
}

/** A guest goes on only on the kind of machine that it was saved on. @throws SilkError `SNAPSHOT_UNSUPPORTED` */
export function checkArch(host: Host, manifest: SnapshotManifest): void {
  if (manifest.host.arch === host.facts.arch) return;
  throw snapshotUnsupported(
    `the snapshot was made on ${manifest.host.arch}, and this machine is ${host.facts.arch}`,
  );
}
