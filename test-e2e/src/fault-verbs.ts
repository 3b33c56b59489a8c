import type { Engine, VmSpec } from "@silkvm/core";

export type Verb = "create" | "start" | "stop" | "delete";

/** The name of the one VM that the fault loops work on. */
export const vmName = "faulty";

/** One verb on that VM; throws what went wrong with it. */
export async function runVerb(engine: Engine, verb: Verb, spec: VmSpec): Promise<void> {
  if (verb === "create") {
    await engine.create({ ...spec, name: vmName });
    return;
  }
  const vm = await engine.get(vmName);
  if (verb === "start") await vm.start();
  if (verb === "stop") await vm.stop({ force: true });
  if (verb === "delete") await vm.delete({ force: true });
}
