import type { NetResize, VmmNic } from "../devices/net-resize.ts";
import { netResize } from "../devices/net-resize.ts";
import { missingCapability } from "../capability.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { OperationData } from "../store/journal.ts";
import type { Store } from "../store/store.ts";
import type { LeavingNic, Nic, VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { attachNics, detachNics } from "./network-of.ts";

/** What a VM's backend does with the NICs of one that runs. @throws SilkError `CAPABILITY_MISSING` */
export async function nicPlug(core: EngineCore, vm: VmRecord): Promise<NetResize> {
  const backend = await core.backend(vm.backend);
  const plug = backend.capability(netResize);
  if (plug === undefined) throw missingCapability(backend.name, netResize);
  return plug;
}

/** A NIC's device in the VMM, by its TAP: what the guest calls its MAC is nothing that silk decides after a restore. */
export function deviceOf(nic: Nic, found: readonly VmmNic[]): VmmNic | undefined {
  return found.find(({ tap }) => tap === nic.tap);
}

/** The record with one NIC as its last one: in the order in which the VMM got them. */
export function withNic(vm: VmRecord, nic: Nic): VmRecord {
  const rest = withoutNic(vm, nic);
  return { ...rest, nics: [...rest.nics, nic] };
}

export function withoutNic(vm: VmRecord, nic: Nic): VmRecord {
  return { ...withoutLeaving(vm, nic), nics: vm.nics.filter(({ tap }) => tap !== nic.tap) };
}

function withLeaving(vm: VmRecord, leaving: LeavingNic): VmRecord {
  const { leavingNics = [], ...rest } = withoutNic(vm, leaving.nic);
  return { ...rest, leavingNics: [...leavingNics, leaving] };
}

function withoutLeaving(vm: VmRecord, { tap }: Nic): VmRecord {
  const { leavingNics = [], ...rest } = vm;
  const left = leavingNics.filter(({ nic }) => nic.tap !== tap);
  return left.length === 0 ? rest : { ...rest, leavingNics: left };
}

/**
 * With the VM's lock held: brings the record of a NIC that was being added or removed to what is true. One that the VMM has stays, one that its guest is
 * to let go of is remembered as such, one that the VMM has not is removed from the host; where that cannot be done now, it is remembered too.
 * @param keep the NIC is the VM's, and only its VMM had lost it: it stays in the record
 * @returns the record as it was written
 */
export async function settleNic(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  { nic, deviceId }: LeavingNic,
  keep: boolean,
): Promise<VmRecord> {
  const context = core.context({}, undefined);
  const settled = await settle(core, vm, { nic, deviceId }, keep, context);
  const now: VmRecord = { ...settled, updatedAt: store.now() };
  store.transaction(() => {
    store.updateVm(now);
    store.endOperation(vm.seq);
  });
  return now;
}

async function settle(
  core: EngineCore,
  vm: VmRecord,
  leaving: LeavingNic,
  keep: boolean,
  context: OperationContext,
): Promise<VmRecord> {
  const { nic, deviceId } = leaving;
  if (vm.state === "running") {
    const plug = await nicPlug(core, vm);
    if ((await plug.list(vm, context)).some((found) => found.deviceId === deviceId)) {
      const isKnown = vm.nics.some(({ tap }) => tap === nic.tap);
      if (isKnown) return keep ? withNic(vm, nic) : vm;
      // Its network may have given it an address that nobody could write down any more.
      const [whole = nic] = await attachNics(core, vm, [nic], context);
      return withNic(vm, whole);
    }
    if (await plug.isPresent(vm, deviceId, context)) return withLeaving(vm, leaving);
  }
  if (keep) return vm;
  try {
    await detachNics(core, vm, [nic]);
    return withoutNic(vm, nic);
  } catch (error) {
    core.logger.warn(
      `what is left of the NIC ${nic.tap} of ${vm.name} cannot be removed yet: ${(error as Error).message}`,
    );
    return withLeaving(vm, leaving);
  }
}

/** Whether a journaled change of a NIC was to bring back one that is the VM's. */
export function isRepair(vm: VmRecord, verb: string, { nic }: OperationData): boolean {
  return verb === "add-nic" && vm.nics.some(({ tap }) => tap === nic?.tap);
}
