import { SilkError } from "../errors.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { deviceKind, nameOf } from "./device-kinds.ts";

/**
 * What was added to a VM while it runs is not part of a snapshot, and a guest that has it in memory would miss it.
 * @throws SilkError `SNAPSHOT_UNSUPPORTED` that names the first device
 */
export async function refuseAttached(core: EngineCore, vm: VmRecord): Promise<void> {
  const first = vm.attachments?.find(({ state }) => state !== "detached");
  if (first === undefined) return;
  const kind = await deviceKind(core, first.kind).catch(() => undefined);
  const what = kind === undefined ? first.id : `${kind.noun} ${nameOf(kind, first)}`;
  const command = kind?.detachCommand?.(vm, first.data);
  const isLeaving = first.state === "detaching";
  throw new SilkError(
    isLeaving
      ? `the VM ${vm.name} cannot be saved: its guest has not let go of ${what} yet`
      : `the VM ${vm.name} cannot be saved: ${what} was added while it runs`,
    {
      code: "SNAPSHOT_UNSUPPORTED",
      kind: "unsupported",
      hint: `${isLeaving ? "Detach it again, to wait for that" : "Detach it first"}${command === undefined ? "." : `: ${command}`}`,
      details: { id: vm.id, name: vm.name, deviceId: first.id },
    },
  );
}
