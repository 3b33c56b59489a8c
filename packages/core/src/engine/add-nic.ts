import type { Nic, VmRecord } from "../vm/record.ts";
import { checkNicCount } from "../vm/nics.ts";
import type { NicChangeContext } from "./change-nics.ts";
import { defaultGraceMs } from "./device-kinds.ts";
import { attachNics, networkOf } from "./network-of.ts";
import { nicPlug, settleNic, withNic } from "./nic-change.ts";

/**
 * With the VM's lock held: gives the VM one NIC more, in the network that its configuration means. What fails leaves the VM, and the host, as they were.
 * @param lost a NIC of the VM's that its VMM has lost, to be brought back instead
 * @returns the record, with the NIC as its last one
 */
export async function addNic(
  change: NicChangeContext,
  vm: VmRecord,
  lost?: Nic,
): Promise<VmRecord> {
  const { core, store, options, signal } = change;
  const context = core.context(options, signal);
  const planned = lost ?? (await planOne(change, vm));
  // An id that was used before would be taken as long as a guest has not let go of it.
  const deviceId = `silk-net-${core.newId()}`;
  const device = { kind: "nic", id: deviceId, data: { ...planned } };
  await core.hooks.before("vm:before-attach", { vm, device }, signal);
  const began = core.host.clock.monotonicMs();
  store.transaction(() => store.beginOperation(vm, "add-nic", { nic: planned, deviceId }));
  let added: VmRecord;
  try {
    context.progress(`adding the NIC ${planned.tap}`);
    const [nic = planned] = await attachNics(core, vm, [planned], context);
    signal?.throwIfAborted();
    if (vm.state === "running") await (await nicPlug(core, vm)).add(vm, { deviceId, nic }, context);
    signal?.throwIfAborted();
    added = { ...withNic(vm, nic), updatedAt: store.now() };
    const tookMs = Math.round(core.host.clock.monotonicMs() - began);
    store.transaction(() => {
      store.updateVm(added);
      store.endOperation(vm.seq);
      store.addEvent(vm, "device.attached", { kind: "nic", deviceId, tookMs });
    });
  } catch (error) {
    await undoAdd(change, vm, { nic: planned, deviceId }, lost !== undefined).catch(
      (left: unknown) => {
        context.warn(
          `what was made of the NIC could not be removed yet, the next command will: ${(left as Error).message}`,
        );
      },
    );
    throw error;
  }
  await core.hooks.after("vm:after-attach", { vm: added, device }, context.warn);
  return added;
}

async function planOne({ core, options, signal }: NicChangeContext, vm: VmRecord): Promise<Nic> {
  checkNicCount(vm.nics.length + 1);
  const taken = [...vm.nics, ...(vm.leavingNics ?? []).map(({ nic }) => nic)];
  const provider = vm.nics[0]?.provider;
  const plumbing = await (provider === undefined
    ? networkOf(core, vm.config)
    : core.plumbing(provider));
  const [planned] = await plumbing.plan(vm, 1, taken, core.context(options, signal));
  if (planned === undefined) throw new Error("the network planned no NIC");
  return planned;
}

/** The VMM may have got the NIC all the same, though its answer was an error, or none. */
async function undoAdd(
  { core, store }: NicChangeContext,
  vm: VmRecord,
  added: { readonly nic: Nic; readonly deviceId: string },
  isRepair: boolean,
): Promise<void> {
  // It had come to its end, and only that could not be told: the NIC is there.
  if (store.findOperation(vm.seq) === undefined) return;
  const context = core.context({}, undefined);
  if (vm.state === "running") {
    const plug = await nicPlug(core, vm);
    if (await plug.isPresent(vm, added.deviceId, context))
      await plug
        .remove(vm, added.deviceId, { ...context, graceMs: defaultGraceMs })
        .catch((error: unknown) => {
          // A guest that does not let go of it keeps it for a while: that is remembered below.
          core.logger.warn((error as Error).message);
        });
  }
  await settleNic(core, store, vm, added, isRepair);
}
