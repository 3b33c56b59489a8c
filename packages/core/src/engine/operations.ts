import type { EngineCore } from "./core.ts";
import type { OperationView } from "./types.ts";

/** What the journal holds, and whether its owner lives. Writes nothing. */
export async function listOperations(core: EngineCore): Promise<readonly OperationView[]> {
  const entries = core.read((store) => store?.listOperations() ?? []);
  return await Promise.all(
    entries.map(async ({ seq, id, verb, startedAt, owner }) => {
      const underWay = await core.host.locks.isHeld(core.lockPath, seq);
      return { id, verb, startedAt, owner, underWay };
    }),
  );
}
