import type { Engine } from "@silkvm/core";
import { makeSandbox, type Sandbox } from "../src/sandbox.ts";
import { type Target, targets } from "../src/targets.ts";
import type { SuiteContext } from "./suite.ts";

/** VMs to measure on, in directories that are theirs alone. */
export interface BenchVms extends AsyncDisposable {
  readonly target: Target;
  readonly sandbox: Sandbox;
  readonly engine: Engine;
  readonly ids: readonly string[];
  /** The VMM's arguments for such a VM. */
  readonly command: readonly string[];
}

/** Makes VMs on the real Cloud Hypervisor where there is one that runs here, else on ch-sim; says which. */
export async function makeVms(
  count: number,
  { note }: Pick<SuiteContext, "note">,
): Promise<BenchVms> {
  const [simulated, real] = targets as readonly [Target, Target];
  const target = real.missing === undefined ? real : simulated;
  note(
    real.missing === undefined
      ? "on the real Cloud Hypervisor"
      : `on ch-sim, a program of Node's, as a real Cloud Hypervisor cannot be used here: ${real.missing}`,
  );
  const sandbox = await makeSandbox(target.chBinary());
  const engine = await sandbox.engine();
  const spec = { ...(await target.spec()), storageBytes: 0 };
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push((await engine.create(spec)).id);
  return {
    target,
    sandbox,
    engine,
    ids,
    command: await engine.launchCommand(spec),
    [Symbol.asyncDispose]: async () => {
      await engine.delete(ids, { force: true });
      await engine[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}
