import {
  type CallOptions,
  type ProcessIdentity,
  recordedVmm,
  unrecordedVmm,
  type VmObservation,
  type VmRecord,
} from "@silkvm/core";
import { addresses, kindOf, listDevices } from "./devices.ts";
import { endedInOrder } from "./ended.ts";
import type { Machine } from "./machine.ts";
import { type Monitor, openMonitor } from "./monitor.ts";
import { QmpClosedError } from "./qmp/errors.ts";
import { objectOf } from "./qmp/messages.ts";
import { runState, standsStill } from "./run-state.ts";

/** A VMM talks to one at a time: whoever only looks does not wait until another one has finished. */
const answerMs = 1_000;

/** What is true of a VM: its process, and what its VMM says. */
export async function inspect(
  machine: Machine,
  vm: VmRecord,
  { signal }: CallOptions = {},
): Promise<VmObservation> {
  const identity = recordedVmm(machine, vm) ?? (await unrecordedVmm(machine, vm));
  if (identity === undefined) return await withoutVmm(machine, vm);
  try {
    await using monitor = await openMonitor(machine, vm, { signal, timeoutMs: answerMs });
    return await observed(identity, vm, monitor, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!machine.host.processes.isAlive(identity)) return await withoutVmm(machine, vm);
    const hasNoMonitor = error instanceof QmpClosedError && error.code !== "EACCES";
    // A VMM that is busy with something long answers nothing, and runs.
    return { vmm: hasNoMonitor ? "starting" : "running", identity };
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

async function observed(
  identity: ProcessIdentity,
  { config }: VmRecord,
  monitor: Monitor,
  signal: AbortSignal | undefined,
): Promise<VmObservation> {
  const options = { signal, timeoutMs: answerMs };
  const state = await runState(monitor, options);
  const devices = await listDevices(monitor, options);
  const places = await addresses(monitor, options);
  const hasBalloon = devices.some(({ id }) => id === "balloon");
  const balloon = hasBalloon
    ? objectOf(await monitor.execute("query-balloon", undefined, options))
    : undefined;
  const listed = devices
    .map((device) => ({ id: device.id, kind: kindOf(device), bdf: places.get(device.id) }))
    .sort((one, other) => compare(one.bdf ?? "~", other.bdf ?? "~") || compare(one.id, other.id));
  return {
    vmm: state === "running" ? "running" : standsStill(state) ? "paused" : "starting",
    identity,
    memoryBytes: typeof balloon?.["actual"] === "number" ? balloon["actual"] : config.memoryBytes,
    devices: listed.map(({ bdf, ...device }) => ({
      ...device,
      ...(bdf === undefined ? {} : { bdf }),
    })),
    raw: { status: state, version: monitor.version, devices },
  };
}

/** By code points: what a locale makes of an address is of no use. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
