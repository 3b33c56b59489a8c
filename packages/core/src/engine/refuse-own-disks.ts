import { join, sep } from "node:path";
import { SilkError } from "../errors.ts";
import type { DiskSpec } from "../vm/spec.ts";
import type { EngineCore } from "./core.ts";

/** Where silk keeps what belongs to a VM, a snapshot or an image. */
const ownDirectories = ["vms", "snapshots", "images"];

/** A second one that writes to a VM's disk, or to a snapshot's, destroys it. To read one is fine. @throws SilkError `INVALID_DISK` */
export async function refuseOwnDisks(core: EngineCore, disks: readonly DiskSpec[]): Promise<void> {
  const { files } = core.host;
  for (const { path, readonly } of disks) {
    // What is not there is told of by whoever looks for it.
    if (readonly === true || (await files.stat(path)) === undefined) continue;
    const real = await files.realpath(path);
    for (const name of ownDirectories) {
      const directory = join(core.config.rootDir, name);
      if ((await files.stat(directory)) === undefined) continue;
      if (!real.startsWith((await files.realpath(directory)) + sep)) continue;
      throw new SilkError(`--disk: ${path} is one of silk's own files, below ${directory}`, {
        code: "INVALID_DISK",
        kind: "invalid",
        hint: "Give the VM a copy of it, or attach it read-only: --disk FILE,readonly",
        details: { path },
      });
    }
  }
}
