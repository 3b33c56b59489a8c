import {
  ChApiError,
  type ChClient,
  isDeviceNotFound,
  isIdNotUnique,
  isVmmEnding,
  type PciDeviceInfo,
  type VmInfo,
} from "@silkvm/ch-client";
import {
  type CallOptions,
  type DeviceData,
  type HotPlug,
  recordedVmm,
  type RemoveContext,
  SilkError,
  type VmRecord,
} from "@silkvm/core";
import { openClient, openWaitingClient } from "./client.ts";
import { fromVmm } from "./from-vmm.ts";
import { launchFailure } from "./launch-failure.ts";
import type { Machine } from "./machine.ts";
import { forgetUnmapped } from "./vfio-unmapped.ts";

const lookAgainMs = 20;

/** What adds one kind of device; everything else is the same for all of them. */
export type AddDevice<D extends DeviceData> = (
  client: ChClient,
  vm: VmRecord,
  device: { readonly id: string; readonly data: D },
  options: CallOptions,
) => Promise<PciDeviceInfo | undefined>;

/** One kind of device, added to the VMM and taken away over its API. */
export function hotPlugOf<D extends DeviceData>(machine: Machine, add: AddDevice<D>): HotPlug<D> {
  return {
    add: async (vm, device, { signal }) => {
      await using client = openClient(machine, vm);
      try {
        const added = await add(client, vm, device, { signal });
        return added === undefined ? {} : { bdf: added.bdf };
      } catch (error) {
        throw await addFailure(machine, vm, device.id, error);
      }
    },
    remove: (vm, id, context) => removeDevice(machine, vm, id, context),
    isPresent: async (vm, id, { signal }) => {
      await using client = openClient(machine, vm);
      return isInTree(await deviceTree(machine, vm, client, { signal }), id);
    },
  };
}

/**
 * Asks the guest to let go of a device and waits until it has: the VMM's yes only means that it was asked. A device that is gone is fine.
 * @throws SilkError `DEVICE_NOT_RELEASED`
 */
export async function removeDevice(
  machine: Machine,
  vm: VmRecord,
  id: string,
  { graceMs, signal, progress }: RemoveContext,
): Promise<void> {
  await using client = openClient(machine, vm);
  if (!isInTree(await deviceTree(machine, vm, client, { signal }), id)) return;
  try {
    await client.vm.removeDevice({ id }, { signal });
  } catch (error) {
    // The guest was asked before, and has not let go yet.
    if (!isDeviceNotFound(error))
      throw fromVmm(error, `cannot take the device ${id} from ${vm.name}`);
  }
  progress(`waiting for the guest to let go of ${id}`);
  const { clock } = machine.host;
  const deadlineMs = clock.monotonicMs() + graceMs;
  await using waiting = openWaitingClient(machine, vm);
  while (isInTree(await deviceTree(machine, vm, waiting, { signal }), id)) {
    if (clock.monotonicMs() > deadlineMs) throw notReleased(vm, id, graceMs);
    await clock.delay(lookAgainMs, { signal });
  }
  await forgetUnmapped(machine, vm);
}

/** A virtio device has a node of its own and one for its PCI side; it is gone when both are. */
function isInTree(tree: VmInfo["device_tree"], id: string): boolean {
  return tree?.[id] !== undefined || tree?.[`_virtio-pci-${id}`] !== undefined;
}

/** The devices that the VMM has, also those that the guest is still letting go of: `config` forgets them at once. Undefined where no VMM runs. */
async function deviceTree(
  machine: Machine,
  vm: VmRecord,
  client: ChClient,
  options: CallOptions,
): Promise<VmInfo["device_tree"]> {
  try {
    const info = await client.vm.info(options);
    return info.device_tree ?? {};
  } catch (error) {
    options.signal?.throwIfAborted();
    if (isVmmEnding(error) && recordedVmm(machine, vm) === undefined) return undefined;
    throw fromVmm(error, `cannot tell which devices ${vm.name} has`);
  }
}

async function addFailure(
  machine: Machine,
  vm: VmRecord,
  id: string,
  error: unknown,
): Promise<unknown> {
  const what = `the VMM refused the device ${id}`;
  if (!ChApiError.is(error)) return fromVmm(error, what);
  if (isIdNotUnique(error))
    return new SilkError(`the VM ${vm.name} has a device ${id} already`, {
      code: "DEVICE_EXISTS",
      kind: "conflict",
      hint: "Choose another id.",
      details: { id: vm.id, name: vm.name, deviceId: id },
      cause: error,
    });
  return await launchFailure(machine, vm, {
    what,
    code: "VMM_REFUSED",
    chain: error.chain,
    log: [],
    cause: error,
  });
}

function notReleased(vm: VmRecord, id: string, waitedMs: number): SilkError {
  return new SilkError(`the guest of ${vm.name} does not let go of ${id}`, {
    code: "DEVICE_NOT_RELEASED",
    kind: "timeout",
    hint: "See to it that nothing in the guest uses it (unmount it, say), and run the command again.",
    details: { id: vm.id, name: vm.name, deviceId: id, waitedMs },
  });
}
