import { join } from "node:path";
import { SilkError } from "../errors.ts";
import { directoryAbove } from "../own-directory.ts";
import type { DiskSpec } from "../vm/spec.ts";
import type { EngineCore } from "./core.ts";

/** Where silk keeps what belongs to a VM, a snapshot or an image. */
const ownDirectories = ["vms", "snapshots", "images"];

/** A second one that writes to a VM's disk, or to a snapshot's, destroys it. To read one is fine. @throws SilkError `INVALID_DISK` */
export async function refuseOwnDisks(
  { host, config }: Pick<EngineCore, "host" | "config">,
  disks: readonly DiskSpec[],
): Promise<void> {
  const { files } = host;
  const directories = ownDirectories.map((name) => join(config.rootDir, name));
  for (const { path, readonly } of disks) {
    // What is not there is told of by whoever looks for it.
    if (readonly === true || (await files.stat(path)) === undefined) continue;
    const own = await directoryAbove(host, await files.realpath(path), directories);
    if (own !== undefined)
      throw new SilkError(`--disk: ${path} is one of silk's own files, below ${own}`, {
        code: "INVALID_DISK",
        kind: "invalid",
        hint: "Give the VM a copy of it, or attach it read-only: --disk FILE,readonly",
        details: { path },
      });
  }
}
