import { join } from "node:path";
import { type Disk, type ResolvedVmSpec, SilkError, type VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** Checks everything that can be checked before anything is made, and says which disks the VM will have. */
export async function plan(
  { host, paths }: Machine,
  spec: ResolvedVmSpec,
): Promise<{ readonly disks: readonly Disk[] }> {
  // What is refused here is told to the user at once; what is passed over is a VM that is not what was asked for.
  if (spec.nics > 0) throw unsupported("NICs", "--nics 0");
  if (spec.dataDisks.length > 0) throw unsupported("data disks", "--disk FILE");
  if (spec.image !== undefined) throw unsupported("images", "--kernel FILE");
  const given = spec.disks.map(({ path, readonly = false }): Disk => {
    return { path, readonly, role: readonly ? "layer" : "data" };
  });
  for (const { path } of given)
    if ((await host.files.stat(path)) === undefined)
      throw new SilkError(`there is no disk ${path}`, {
        code: "FILE_NOT_FOUND",
        kind: "not-found",
      });
  const cow: Disk = { path: join(paths(spec).dataDir, "cow.raw"), readonly: false, role: "cow" };
  return { disks: spec.config.storageBytes > 0 ? [...given, cow] : given };
}

/** Makes what `plan` has said, in the VM's data directory, which is there and empty. */
export async function makeDisks({ host }: Machine, vm: VmRecord): Promise<void> {
  for (const { path, role } of vm.disks)
    if (role === "cow")
      await host.files.createSparse(path, vm.config.storageBytes, { mode: 0o600 });
}

function unsupported(what: string, instead: string): SilkError {
  return new SilkError(`the backend "example" gives VMs no ${what}`, {
    code: "BACKEND_LACKS",
    kind: "unsupported",
    hint: `Do without: ${instead}`,
  });
}
