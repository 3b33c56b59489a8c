import { resolveVm } from "../refs.ts";
import type { VmObservation } from "../hypervisor.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { keptAttachments, trueAttachments, withAttachments } from "./device-kinds.ts";
import { withExit } from "./guest-exit.ts";
import { endedState } from "./reconcile.ts";
import type { VmView } from "./types.ts";

/** The record and the truth of one VM. Writes nothing: what is found out is told, not remembered. */
export async function inspectVm(
  core: EngineCore,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<VmView> {
  const { vm, operation } = core.read((store) => {
    const found = resolveVm(store, ref);
    return {
      vm: found,
      operation: store?.findOperation(found.seq),
    };
  });
  const backend = await core.backend(vm.backend);
  const observed = await backend.inspect(vm, { signal });
  const owned = operation !== undefined && (await core.host.locks.isHeld(core.lockPath, vm.seq));
  return {
    ...(await trueRecord(core, vm, owned, observed)),
    observed,
    paths: core.paths(vm),
    ...(operation === undefined || !owned
      ? {}
      : {
          operation: {
            verb: operation.verb,
            pid: operation.owner.pid,
            startedAt: operation.startedAt,
          },
        }),
  };
}

async function trueRecord(
  core: EngineCore,
  vm: VmRecord,
  owned: boolean,
  observed: VmObservation,
): Promise<VmRecord> {
  if (vm.state === "creating" && !owned)
    return { ...vm, state: "error", problem: { ...interruptedCreate, at: core.now() } };
  if (vm.state !== "running") return vm;
  const ended = endedState(core, vm, observed);
  if (ended === undefined) return withAttachments(vm, trueAttachments(vm, observed));
  const { runtime: _runtime, ...rest } = await withExit(
    core,
    withAttachments(vm, keptAttachments(vm)),
  );
  return {
    ...rest,
    state: ended.state,
    ...(ended.problem === undefined ? {} : { problem: ended.problem }),
  };
}

/** A VM whose creator died: the next command that changes anything clears it away. */
export const interruptedCreate = {
  code: "CREATE_INTERRUPTED",
  message: "its creation was interrupted; the next command that changes a VM clears it away",
} as const;
