import type { Vm, VmSpec } from "@silkvm/core";
import type { OpenEngine } from "../engine.ts";
import type { TaggedVolume } from "./run-spec.ts";

/** Makes a VM with its shared directories. What fails leaves nothing behind. */
export async function makeVm(
  open: OpenEngine,
  spec: VmSpec,
  volumes: readonly TaggedVolume[],
): Promise<Vm> {
  const vm = await open.engine.create(spec, open.change("making the VM"));
  if (volumes.length === 0) return vm;
  const { fsAttach } = await import("@silkvm/virtiofs");
  try {
    for (const { tag, directory, readonly } of volumes) {
      const options = { ...open.change(`sharing ${directory}`), keep: true };
      await fsAttach(open.engine, vm.id, { tag, dir: directory, readonly }, options);
    }
    return vm;
  } catch (error) {
    // Also after an interrupt.
    await vm.delete({ force: true });
    throw error;
  }
}
