import type { OperationView } from "@silkvm/core";
import type { CheckContext } from "../context.ts";
import type { Check } from "../finding.ts";
import { silentDirectory } from "../responds.ts";

/** Whether something was interrupted half-way. */
export const operations: Check = {
  id: "operations",
  title: "operations",
  group: "silk",
  async run(context) {
    const silent = await silentDirectory(context, context.config.rootDir);
    if (silent !== undefined) return silent;
    const interrupted = await interruptedOperations(context).catch(() => undefined);
    if (interrupted === undefined)
      return { status: "skipped", evidence: "the store cannot be read" };
    if (interrupted.length === 0) return { status: "ok", evidence: "none was interrupted" };
    return {
      status: "warning",
      evidence: interrupted.map(describe).join(", "),
      why: "The process that was at it has died; the next command that changes a VM finishes it or undoes it.",
      fix: { command: "silk gc", description: "Finish or undo it now.", automatic: true },
    };
  },
  async repair(context) {
    const before = await interruptedOperations(context);
    await context.engine?.gc({ signal: context.signal });
    const left = await interruptedOperations(context);
    if (left.length > 0) throw new Error(`not recovered yet: ${left.map(describe).join(", ")}`);
    return `recovered: ${before.map(describe).join(", ")}`;
  },
};

const onSnapshots: ReadonlySet<OperationView["verb"]> = new Set(["import", "delete-snapshot"]);

function describe({ verb, id, owner }: OperationView): string {
  const what = onSnapshots.has(verb) ? "snapshot" : "VM";
  return `the "${verb}" of the ${what} ${id} by process ${owner.pid}`;
}

/** Operations whose owner has died. */
async function interruptedOperations({
  engine,
  signal,
}: CheckContext): Promise<readonly OperationView[]> {
  if (engine === undefined) throw new Error("there is no engine to ask");
  return (await engine.operations({ signal })).filter(({ underWay }) => !underWay);
}
