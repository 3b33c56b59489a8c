import type { GuestExit } from "../image/vm-image.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";

/** How the program of a container's VM that does not run any more has ended. Undefined for any other VM. */
export async function guestExit(core: EngineCore, vm: VmRecord): Promise<GuestExit | undefined> {
  const { image, run } = vm.config;
  if (run === undefined || image === undefined || !core.knowsImage(image)) return undefined;
  try {
    const source = await core.imageSource(image);
    return await source.readExit?.(vm, core.context({}, undefined));
  } catch (error) {
    core.logger.warn(
      `how the program of ${vm.name} has ended cannot be read: ${(error as Error).message}`,
    );
    return undefined;
  }
}

/** The record of a VM that does not run any more, with what its guest has left of how its program ended. */
export async function withExit(core: EngineCore, vm: VmRecord): Promise<VmRecord> {
  const exit = await guestExit(core, vm);
  if (exit === undefined) return vm;
  const { exitCode, signal } = exit;
  return { ...vm, exitCode, ...(signal === undefined ? {} : { exitSignal: signal }) };
}

/** The record of a VM whose program begins, or goes on: how it ended before is over. */
export function withoutExit(vm: VmRecord): VmRecord {
  const { exitCode: _exitCode, exitSignal: _exitSignal, ...rest } = vm;
  return rest;
}
