import type { Vm, VmSpec } from "@silkvm/core";
import type { OpenEngine } from "../engine.ts";
import type { TaggedVolume } from "./run-spec.ts";

/** Makes a VM with its shared directories, without which it does not start. What fails leaves nothing behind. */
export async function makeVm(
  open: OpenEngine,
  spec: VmSpec,
  volumes: readonly TaggedVolume[],
): Promise<Vm> {
  const { engine } = open;
  if (volumes.length === 0) return await engine.create(spec, open.change("making the VM"));
  const { fsAttach, fsCheck } = await import("@silkvm/virtiofs");
  const shares = volumes.map(({ tag, directory: dir, readonly }) => ({ tag, dir, readonly }));
  // Before an image is fetched, and a VM made.
  for (const share of shares) await fsCheck(engine, share);
  const vm = await engine.create(spec, open.change("making the VM"));
  try {
    for (const share of shares) {
      const options = { ...open.change(`sharing ${share.dir}`), keep: true, required: true };
      await fsAttach(engine, vm.id, share, options);
    }
    return vm;
  } catch (error) {
    // Also after an interrupt.
    await vm.delete({ force: true });
    throw error;
  }
}
