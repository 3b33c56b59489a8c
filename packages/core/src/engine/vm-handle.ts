import type { BatchResult, CreateOptions, Engine, Vm } from "./types.ts";

/** A VM as an object: the engine's verbs with the ref filled in, and their one failure thrown. */
export function vmHandle(
  engine: Engine,
  vm: { readonly id: string; readonly name: string },
  dispose: CreateOptions["dispose"] = "detach",
): Vm {
  const refs = [vm.id];
  return {
    id: vm.id,
    name: vm.name,
    start: async (options) => orThrow(await engine.start(refs, options)),
    stop: async (options) => orThrow(await engine.stop(refs, options)),
    delete: async (options) => orThrow(await engine.delete(refs, options)),
    inspect: (options) => engine.inspect(vm.id, options),
    wait: (options) => engine.wait(vm.id, options),
    console: (options) => engine.console(vm.id, options),
    logs: (options) => engine.logs(vm.id, options),
    save: (options) => engine.snapshots.save(vm.id, options),
    restore: (from, options) => engine.restore(vm.id, from, options),
    hibernate: (options) => engine.hibernate(vm.id, options),
    wake: (options) => engine.wake(vm.id, options),
    [Symbol.asyncDispose]: async () => {
      if (dispose === "stop") orThrow(await engine.stop(refs));
      if (dispose !== "delete") return;
      const { failed } = await engine.delete(refs, { force: true });
      // Whoever removed it already did what was to be done.
      if (failed[0] !== undefined && failed[0].error.code !== "VM_NOT_FOUND") throw failed[0].error;
    },
  };
}

function orThrow({ failed }: BatchResult): void {
  if (failed[0] !== undefined) throw failed[0].error;
}
