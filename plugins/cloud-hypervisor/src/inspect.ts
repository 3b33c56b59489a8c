import { ChConnectionError, isNotCreated, type VmInfo } from "@silkvm/ch-client";
import {
  type CallOptions,
  type ProcessIdentity,
  recordedVmm,
  unrecordedVmm,
  type VmObservation,
  type VmRecord,
} from "@silkvm/core";
import { openClient } from "./client.ts";
import { endedInOrder } from "./ended.ts";
import type { Machine } from "./machine.ts";

/** A VMM answers one call at a time, so one that is busy answers late: whoever looks does not wait for that. */
const answerMs = 1_000;

/** What is true of a VM: its process, and what its VMM says. */
export async function inspect(
  machine: Machine,
  vm: VmRecord,
  { signal }: CallOptions = {},
): Promise<VmObservation> {
  const recorded = recordedVmm(machine, vm);
  const identity = recorded ?? (await unrecordedVmm(machine, vm));
  if (identity === undefined) return await withoutVmm(machine, vm);
  await using client = openClient(machine, vm);
  try {
    const info = await client.vm.info({ signal, timeoutMs: answerMs });
    return observed(identity, info);
  } catch (error) {
    signal?.throwIfAborted();
    const isGone = !machine.host.processes.isAlive(identity);
    // The second process of a VMM that was killed lives a moment longer, beside a socket that nobody serves any more.
    const isLeftOver =
      recorded === undefined && ChConnectionError.is(error) && error.reason === "refused";
    if (isGone || isLeftOver) return await withoutVmm(machine, vm);
    const hasNoGuest =
      isNotCreated(error) || (ChConnectionError.is(error) && error.reason !== "denied");
    // A VMM that is busy with something long answers nothing, and runs.
    return { vmm: hasNoGuest ? "starting" : "running", identity };
  }
}

/** What is true of many VMs, by their processes alone. */
export async function list(
  machine: Machine,
  vms: readonly VmRecord[],
  { signal }: CallOptions = {},
): Promise<readonly VmObservation[]> {
  signal?.throwIfAborted();
  return await Promise.all(
    vms.map(async (vm): Promise<VmObservation> => {
      const identity = recordedVmm(machine, vm);
      return identity === undefined ? await withoutVmm(machine, vm) : { vmm: "running", identity };
    }),
  );
}

async function withoutVmm(machine: Machine, vm: VmRecord): Promise<VmObservation> {
  return { vmm: (await endedInOrder(machine, vm)) ? "ended" : "absent" };
}

const states: Readonly<Record<VmInfo["state"], VmObservation["vmm"]>> = {
  Created: "starting",
  Running: "running",
  Shutdown: "starting",
  Paused: "paused",
  BreakPoint: "paused",
};

const pciSide = "_virtio-pci-";

function observed(identity: ProcessIdentity, info: VmInfo): VmObservation {
  const tree = info.device_tree ?? {};
  // A virtio device has a node for its PCI side, which has the address, and one of its own.
  const devices = Object.values(tree)
    .filter(({ id }) => !id.startsWith(pciSide))
    .map((node) => ({ id: node.id, bdf: node.pci_bdf ?? tree[`${pciSide}${node.id}`]?.pci_bdf }))
    .sort((one, other) => compare(one.bdf ?? "~", other.bdf ?? "~") || compare(one.id, other.id));
  return {
    vmm: states[info.state],
    identity,
    memoryBytes: info.memory_actual_size,
    devices: devices.map(({ id, bdf }) => ({
      id,
      kind: kindOf(id, info),
      ...(bdf === undefined ? {} : { bdf }),
    })),
    raw: info,
  };
}

/** What a device is, by the part of the configuration that names it; the VMM's own devices are named for what they are. */
function kindOf(id: string, { config }: VmInfo): string {
  const kinds: readonly (readonly [
    string,
    readonly { readonly id?: string | undefined }[] | undefined,
  ])[] = [
    ["disk", config.disks],
    ["nic", config.net],
    ["fs", config.fs],
    ["vfio", config.devices],
    ["vfio-user", config.user_devices],
    ["pmem", config.pmem],
    ["vdpa", config.vdpa],
    ["vsock", config.vsock === undefined ? undefined : [config.vsock]],
  ];
  const found = kinds.find(([, devices]) => devices?.some((device) => device.id === id));
  return found?.[0] ?? id.replace(/^_+/, "").replace(/[-_]?\d+$/, "");
}

/** By code points: what a locale makes of an address is of no use. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
